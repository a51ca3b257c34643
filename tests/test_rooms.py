"""Who may know whom: the rooms of the house, held by reading every import."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FILES = [path for room in ("decoder", "plugin", "web") for path in sorted((ROOT / room).rglob("*.py"))]
WEB_FRAMEWORKS = {"gradio", "fastapi", "flask", "starlette", "uvicorn", "label_studio_ml", "label_studio_sdk"}
RUNNER = ("plugin/runner/_wsgi.py", "plugin/runner/model.py")  # label-studio-ml starts these instead of a __main__


def name(path: Path) -> str:
    """Readable in the report."""
    return str(path.relative_to(ROOT))


def imports(path: Path) -> set[str]:
    """Dotted names of all modules a file imports, at its top or anywhere inside."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found.add(node.module)
    return found


def room(path: Path) -> str:
    """The top-level package."""
    return path.relative_to(ROOT).parts[0]


@pytest.mark.parametrize("path", FILES, ids=name)
def test_plugin_and_web_never_import_each_other(path: Path) -> None:
    forbidden = {"plugin": {"web"}, "web": {"plugin"}, "decoder": {"plugin", "web"}}[room(path)]
    assert not {module.split(".")[0] for module in imports(path)} & forbidden


@pytest.mark.parametrize("path", [path for path in FILES if room(path) == "decoder"], ids=name)
def test_the_decoder_knows_no_web_framework(path: Path) -> None:
    assert not {module.split(".")[0] for module in imports(path)} & WEB_FRAMEWORKS


@pytest.mark.parametrize("path", sorted((ROOT / "decoder" / "modeling").glob("*.py")), ids=name)
def test_networks_know_only_networks_and_torch(path: Path) -> None:
    known = {"decoder.modeling", "torch", "__future__", "typing", "dataclasses", "math", "itertools", "collections"}
    assert all(any(module == k or module.startswith(f"{k}.") for k in known) for module in imports(path))


@pytest.mark.parametrize("path", sorted((ROOT / "decoder" / "shapes").glob("*.py")), ids=name)
def test_shapes_know_no_network(path: Path) -> None:
    assert not {module for module in imports(path) if module.split(".")[0] == "torch" or "modeling" in module}


@pytest.mark.parametrize("path", [path for path in FILES if path.name != "__main__.py"], ids=name)
def test_only_entrances_read_the_environment(path: Path) -> None:
    reads = "os.environ" in path.read_text() or "os.getenv" in path.read_text()
    assert not reads or name(path) in RUNNER


@pytest.mark.parametrize("path", sorted((ROOT / "decoder" / "modeling").glob("*.py")), ids=name)
def test_no_forward_assigns_to_self(path: Path) -> None:
    """A network that remembers one call mixes up two users."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef) and node.name != "__init__":
            targets = [t for a in ast.walk(node) if isinstance(a, ast.Assign) for t in a.targets]
            assert not [t for t in targets if isinstance(t, ast.Attribute)], f"{node.name} assigns to an attribute"
