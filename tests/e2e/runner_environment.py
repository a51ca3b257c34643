"""An environment with ``label-studio-ml`` 1.0.9 and ClickMask: the runner's Flask of 2021 wants one of its own."""

from __future__ import annotations

import subprocess
import venv
from pathlib import Path

RUNNER_VERSION = "1.0.9"
CHECKOUT = Path(__file__).parents[2]
REQUIREMENTS = [f"label-studio-ml=={RUNNER_VERSION}", "redis", "rq", "torch==2.13.0"]  # it does not name redis and rq


def install_runner(folder: Path) -> Path:
    """Return the environment's ``bin`` folder, made on first use, with this checkout installed in place."""
    bin_folder = folder / "bin"
    if not (bin_folder / "label-studio-ml").exists():
        venv.create(folder, with_pip=True, clear=True)
    pip = [str(bin_folder / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, *REQUIREMENTS, "--editable", f"{CHECKOUT}[plugin]"], check=True)
    return bin_folder
