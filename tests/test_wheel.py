"""The built package: one name at the top, beside packages whose names are those of our folders."""

from __future__ import annotations

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(ROOT)]
    subprocess.run(pip, check=True)
    return next(folder.glob("*.whl"))


def test_the_only_name_at_the_top_is_clickmask(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"clickmask"}


def test_data_and_type_markers_are_inside_and_tests_are_not(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {f"clickmask/{part}/py.typed" for part in ("decoder", "plugin", "web")} <= names
    assert "clickmask/decoder/weights/nano.safetensors" in names
    assert "clickmask/plugin/labels/polygon.xml" in names
    assert any(name.startswith("clickmask/web/static/") and name.endswith(".js") for name in names)
    assert not [name for name in names if "test_" in name or name.startswith(("training/", "benchmarks/"))]


def test_it_is_installed_beside_web_py(wheel: Path, tmp_path: Path) -> None:
    """It once replaced the package ``web`` of web.py without a word."""
    home = tmp_path / "environment"
    venv.create(home, with_pip=True)
    python = home / "bin" / "python"
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*install, "web.py", str(wheel)], check=True)
    check = "import web, clickmask.web.browser_rle as ours; print(hasattr(web, 'application'), ours.__name__)"
    environment = {"PYTHONPATH": ":".join(path for path in sys.path if path.endswith("site-packages"))}
    said = subprocess.run([python, "-c", check], env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert said.stdout.split() == ["True", "clickmask.web.browser_rle"], said.stderr
