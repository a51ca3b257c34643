"""Installs Label Studio into an environment of its own, once.

It never shares an environment with ClickMask: its several hundred pinned requirements would decide ours.
"""

from __future__ import annotations

import fcntl
import subprocess
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from clickmask.plugin.errors import StudioError

VERSION = "1.23.2"


def install_label_studio(folder: Path) -> Path:
    """Return the ``label-studio`` program inside ``folder``, installing it on first use.

    The first call takes two to three minutes and about 1 GB of disk; pip shows its progress.
    A later call finds the program and returns at once.

    Raises:
        StudioError: If the environment cannot be made or pip fails.
    """
    program = folder / "bin" / "label-studio"
    try:
        with _one_at_a_time(folder):
            if not program.exists():  # pip writes a package's programs after everything the package needs
                _install(folder)
    except (OSError, subprocess.CalledProcessError) as error:
        raise StudioError(f"Label Studio {VERSION} could not be installed into {folder}: {error}") from error
    return program


def _install(folder: Path) -> None:
    print(f"Installing Label Studio {VERSION} into {folder} (once, two to three minutes)", flush=True)
    venv.create(folder, with_pip=True, clear=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--disable-pip-version-check"]
    subprocess.run([*pip, f"label-studio=={VERSION}"], check=True)


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    """Wait while another process installs into the same folder: two at once would tear each other's files away."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # given back when the file is closed, also by a process that dies
        yield
