"""An environment with ``label-studio-ml`` 1.0.9 and ClickMask: the runner's Flask of 2021 wants one of its own.

What it has not itself it finds among the packages of the tests: PyTorch is not installed twice.
"""

from __future__ import annotations

import subprocess
import sysconfig
import venv
from pathlib import Path

RUNNER_VERSION = "1.0.9"
CHECKOUT = Path(__file__).parents[2]
REQUIREMENTS = [f"label-studio-ml=={RUNNER_VERSION}", "redis", "rq"]  # it does not name redis and rq
HIDDEN = [
    "--ignore-installed",
    "attrs",
]  # the runner names "attr", a module that would hide the tests' package of that name
OURS = ["--no-deps", "--editable", str(CHECKOUT)]


def install_runner(folder: Path) -> Path:
    """Return the environment's ``bin`` folder, made on first use, with this checkout installed in place."""
    bin_folder = folder / "bin"
    pip = [str(bin_folder / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if not (bin_folder / "label-studio-ml").exists():
        venv.create(folder, with_pip=True, clear=True)
        (packages,) = folder.glob("lib/python*/site-packages")
        (packages / "of_the_tests.pth").write_text(sysconfig.get_path("purelib"))
        subprocess.run([*pip, *REQUIREMENTS], check=True)
        subprocess.run([*pip, *HIDDEN], check=True)
    subprocess.run([*pip, *OURS], check=True)
    return bin_folder
