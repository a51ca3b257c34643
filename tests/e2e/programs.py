"""The programs that these tests drive, and how they get onto a machine. CI installs them beside its other tests:

``python -m tests.e2e.programs``. They take minutes, most of which is waiting for a network and a disk.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from clickmask.plugin.studio.install import VERSION, install_label_studio
from clickmask.plugin.studio.login import load_login
from clickmask.plugin.studio.process import running
from clickmask.plugin.studio.servers import label_studio_command
from tests.e2e.runner_environment import RUNNER_VERSION, install_runner
from tests.ports import free_port

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "clickmask"
LABEL_STUDIO = CACHE / f"label-studio-{VERSION}"
RUNNER = CACHE / f"label-studio-ml-{RUNNER_VERSION}"


def installed_label_studio() -> Path:
    """The ``label-studio`` program, installed if need be."""
    return install_label_studio(LABEL_STUDIO)


def started_once(program: Path) -> Path:
    """The data of a Label Studio that was started once: making the database is most of its first start."""
    folder = CACHE / f"label-studio-{VERSION}-empty"
    with _one_at_a_time(folder):
        if not (folder / "complete").exists():
            login = load_login(folder / "login.json")
            with running(label_studio_command(program, folder, login, free_port(), os.environ)):
                pass
            (folder / "complete").touch()
    return folder


def installed_runner() -> Path:
    """Where ``label-studio-ml`` is, installed if need be."""
    with _one_at_a_time(RUNNER):
        return install_runner(RUNNER)


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    """Wait while another process makes the same folder."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f"{folder.name}.making").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    started_once(installed_label_studio())
    installed_runner()
