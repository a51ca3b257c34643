"""Who may know whom: the rooms of the house, held by reading every import."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = {part: ROOT / part / "clickmask" / part for part in ("decoder", "plugin", "web")}
WEB_FRAMEWORKS = {"gradio", "fastapi", "flask", "starlette", "uvicorn", "label_studio_ml", "label_studio_sdk"}


@cache
def trees() -> dict[str, ast.Module]:
    """Every module of the house by its dotted name, a package by its ``__init__``."""
    found = {}
    for part, package in PACKAGES.items():
        for path in sorted(package.rglob("*.py")):
            found[".".join(path.relative_to(ROOT / part).with_suffix("").parts)] = ast.parse(path.read_text())
    return found


@cache
def imports(name: str) -> frozenset[str]:
    """Dotted names of all modules that a module imports, at its top or anywhere inside."""
    found: set[str] = set()
    for node in ast.walk(trees()[name]):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            below = {f"{node.module}.{alias.name}" for alias in node.names}
            modules = {module for module in below if module in trees() or f"{module}.__init__" in trees()}
            found |= modules | ({node.module} if len(modules) < len(below) else set())
    return frozenset(found)


def below(room: str) -> list[str]:
    """The modules of a room."""
    return [name for name in trees() if name.startswith(f"{room}.")]


def within(module: str, rooms: set[str]) -> bool:
    """Whether a module is one of the rooms or lies in one."""
    return any(module == room or module.startswith(f"{room}.") for room in rooms)


def wrong(room: str, forbidden: set[str]) -> list[str]:
    """What a room imports and should not."""
    return [f"{name} -> {module}" for name in below(room) for module in imports(name) if within(module, forbidden)]


def test_plugin_and_web_never_import_each_other_and_the_decoder_imports_neither() -> None:
    assert wrong("clickmask.plugin", {"clickmask.web"}) == []
    assert wrong("clickmask.web", {"clickmask.plugin"}) == []
    assert wrong("clickmask.decoder", {"clickmask.plugin", "clickmask.web"}) == []


def test_the_decoder_knows_no_web_framework() -> None:
    assert wrong("clickmask.decoder", WEB_FRAMEWORKS) == []


def test_plugin_and_web_import_only_what_the_rooms_of_the_decoder_offer() -> None:
    rooms = {
        "clickmask.decoder",
        *(f"clickmask.decoder.{name}" for name in ("shapes", "formats", "track", "video", "learning")),
    }
    rooms |= {"clickmask.decoder.formats.coco", "clickmask.decoder.formats.label_studio"}
    rooms.add("clickmask.decoder.formats.fields")  # the one reader of JSON from elsewhere
    rooms.add("clickmask.decoder.correct")  # one function, which has the module's name
    used = {module for part in ("plugin", "web") for name in below(f"clickmask.{part}") for module in imports(name)}
    assert {module for module in used if within(module, {"clickmask.decoder"})} - rooms == set()


def test_networks_know_only_networks_and_torch() -> None:
    known = {"clickmask.decoder.modeling", "torch", "__future__", "typing", "dataclasses", "math", "itertools"}
    known |= {"collections", "copy", "re"}
    modeling = below("clickmask.decoder.modeling")
    assert [f"{name} -> {module}" for name in modeling for module in imports(name) if not within(module, known)] == []


FAMILIES = ("nano", "sam1", "sam2", "sam3", "tiny_vit", "vit")  # the others are parts that families share


def test_a_family_is_one_file_its_sizes_and_a_row() -> None:
    """Beside networks, only what is SAM 2's or nano's own knows a family's file."""
    own = {"clickmask.decoder.optimize", "clickmask.decoder.track"}  # the faster form, and the memories of past frames
    files = {f"clickmask.decoder.modeling.{family}" for family in FAMILIES}
    knowing = [
        f"{name} -> {module}"
        for name in below("clickmask")
        for module in imports(name)
        if module in files and not within(name, own | {"clickmask.decoder.modeling"})
    ]
    assert knowing == []


def test_shapes_know_no_network() -> None:
    assert wrong("clickmask.decoder.shapes", {"torch", "clickmask.decoder.modeling"}) == []


def test_only_entrances_read_the_environment() -> None:
    names = [name for name, tree in trees().items() if not name.endswith("__main__")]
    readers = {
        name
        for name in names
        for node in ast.walk(trees()[name])
        if isinstance(node, ast.Attribute) and ast.unparse(node) in {"os.environ", "os.getenv"}
    }
    assert readers == set()


def test_no_forward_assigns_to_self() -> None:
    """A network that remembers one call mixes up two users."""
    for name in below("clickmask.decoder.modeling"):
        for node in ast.walk(trees()[name]):
            if isinstance(node, ast.FunctionDef) and node.name != "__init__":
                targets = [t for a in ast.walk(node) if isinstance(a, ast.Assign) for t in a.targets]
                assert not [t for t in targets if isinstance(t, ast.Attribute)], f"{name}.{node.name} assigns"


def room(module: str) -> str:
    """The room of a module: its folder, or itself where it lies in a part's hall (``clickmask.web.start``)."""
    return ".".join(module.removesuffix(".__init__").split(".")[:3])


def test_no_circle_of_rooms() -> None:
    """Rooms: the folders of each part, and each file of its hall by itself."""
    known: dict[str, set[str]] = {}
    for name in trees():
        targets = {room(module) for module in imports(name) if module.startswith("clickmask.")}
        known.setdefault(room(name), set()).update(targets - {room(name)})
    assert circle(known) == []


def circle(known: dict[str, set[str]]) -> list[str]:
    """The rooms that can be reached from themselves; none is left once those that lead nowhere are taken away."""
    left = {name: set(targets) for name, targets in known.items()}
    while ends := {name for name, targets in left.items() if not targets & left.keys()}:
        left = {name: targets for name, targets in left.items() if name not in ends}
    starts = set(left)
    while pruned := {name for name in starts if not any(name in left[other] for other in starts)}:
        starts -= pruned
    return sorted(starts)


def test_a_circle_would_be_seen() -> None:
    assert circle({"a": {"b"}, "b": {"c"}, "c": set()}) == []
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}}) == ["b", "c"]
