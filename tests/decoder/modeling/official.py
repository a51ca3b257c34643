"""Packages of others to hold ours against; the tests that need one are skipped where it is not installed."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import pytest
from PIL import Image

_STAND_IN = (
    "torchvision",
    "torchvision.transforms",
    "torchvision.transforms.functional",
    "torchvision.ops",
    "torchvision.ops.boxes",
)


def official_package(name: str) -> Any:
    """Import a package that wants torchvision for two functions, which are Pillow's."""
    if find_spec("torchvision") is not None:
        return pytest.importorskip(name, reason=f"{name} is not installed")
    modules = {module: ModuleType(module) for module in _STAND_IN}
    functional: Any = modules[_STAND_IN[2]]
    functional.to_pil_image = Image.fromarray
    functional.resize = lambda image, size: image.resize((size[1], size[0]), Image.Resampling.BILINEAR)
    modules["torchvision.ops.boxes"].__dict__.update(batched_nms=None, box_area=None)  # of automatic masks: not used
    with pytest.MonkeyPatch.context() as patch:
        for module, stand_in in modules.items():
            patch.setitem(sys.modules, module, stand_in)
        return pytest.importorskip(name, reason=f"{name} is not installed")
