"""Files of weights as people have them: official ones, a trainer's, transformers' folders.

What comes out is one flat table of tensors by the names its program gave them, and what else the file tells.
Nothing in a file is ever run.
"""

from __future__ import annotations

import argparse
import importlib
import json
import pickle
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from clickmask.decoder.errors import CheckpointError

SUFFIXES = (".pt", ".pth", ".ckpt", ".bin", ".safetensors")
_FOLDER_FILES = ("model.safetensors", "pytorch_model.bin")  # of transformers' save_pretrained
_NESTS = ("model", "state_dict", "model_state_dict", "model_state", "module", "network", "net")
_WRAPPERS = re.compile(r"(^|\.)(?:_orig_mod|module)\.")  # of torch.compile and of distributed training, anywhere
_HOLDERS = ("model.", "sam_model.", "sam2_model.", "sam.", "net.", "network.")  # what a trainer's attribute is called
_NO_WEIGHTS = {"n_averaged", "pixel_mean", "pixel_std"}  # tensors that programs keep beside the weights
_TRAINERS = {"optimizer", "optimizer_states", "optimizer_state_dict", "scheduler", "epoch", "global_step", "scaler"}


@dataclass(frozen=True, slots=True, eq=False)
class WeightFile:
    """What a file of weights holds."""

    path: Path
    weights: Mapping[str, Tensor]  # by the names of the program that wrote them
    image_side: int | None  # that the file itself tells [px]
    is_trainers: bool  # whether a training program wrote it


def find_weight_file(path: Path) -> Path | None:
    """The file of weights that a path means, None if it is none; a folder of ``save_pretrained`` means its own."""
    if path.is_dir():
        return next((path / name for name in _FOLDER_FILES if (path / name).is_file()), None)
    return path if path.suffix.lower() in SUFFIXES else None


def read_weight_file(path: Path) -> WeightFile:
    """Read the weights.

    Raises:
        CheckpointError: If the file is missing, broken, cut short, or holds no table of tensors.
    """
    if not path.is_file():
        raise CheckpointError(f"the weights file {path} does not exist")
    content = _read(path)
    weights = _without_wrappers(_tensors(content, path))
    is_trainers = isinstance(content, dict) and any(key in _TRAINERS for key in content)
    return WeightFile(path, weights, _side_in_config(path.with_name("config.json")), is_trainers)


def _read(path: Path) -> Any:
    try:
        if path.suffix.lower() == ".safetensors":
            return load_file(path)
        with torch.serialization.safe_globals(_harmless()):
            return torch.load(path, map_location="cpu", weights_only=True, mmap=_is_archive(path))
    except pickle.UnpicklingError as error:
        raise CheckpointError(f"{path} cannot be read as weights: {_pickle_reason(error)}") from error
    except SafetensorError as error:
        raise CheckpointError(f"{path} is not a whole safetensors file: {error}") from error
    except Exception as error:  # a damaged pickle raises whatever its bytes lead to
        reason = _first_line(error) if _is_archive(path) else "it is cut short or not from torch.save"
        raise CheckpointError(f"{path} cannot be read as weights: {reason}") from error


def _harmless() -> list[Any]:
    """What trainers keep beside the weights and holds nothing but numbers and text."""
    multiarray = importlib.import_module("numpy._core.multiarray")
    kinds = [type(np.dtype(kind)) for kind in "?bBhHiIlLqQefd"]
    old = [(multiarray.scalar, "numpy.core.multiarray.scalar")]
    return [*old, multiarray.scalar, np.dtype, np.ndarray, *kinds, argparse.Namespace]


def _pickle_reason(error: pickle.UnpicklingError) -> str:
    found = re.search(r"GLOBAL (\S+)", str(error))
    if found is None and "Weights only load failed" not in str(error):
        return "it is cut short or not from torch.save"
    return f"it holds code{f' ({found[1]})' if found else ''}, wanted tensors only"


def _tensors(content: Any, path: Path) -> dict[str, Tensor]:
    """The named tensors, however deep a program wrapped them."""
    if isinstance(content, dict):
        named = {key: value for key, value in content.items() if isinstance(key, str) and isinstance(value, Tensor)}
        weights = {key: value for key, value in named.items() if not _is_no_weight(key, value)}
        if weights:
            return weights
        for nest in _NESTS:
            if isinstance(content.get(nest), dict):
                return _tensors(content[nest], path)
    raise CheckpointError(f"{path} holds {type(content).__name__} without tensors, wanted a state dict")


def _is_no_weight(key: str, value: Tensor) -> bool:
    return key in _NO_WEIGHTS or (value.ndim == 0 and "." not in key)  # a counter, such as epoch


def _without_wrappers(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Names without what programs put before all of them."""
    plain = {_unwrapped(key): value for key, value in weights.items()}
    for holder in _HOLDERS:
        if all(key.startswith(holder) for key in plain):
            return {key.removeprefix(holder): value for key, value in plain.items()}
    return plain


def _unwrapped(key: str) -> str:
    while (shorter := _WRAPPERS.sub(r"\1", key)) != key:
        key = shorter
    return key


def _side_in_config(path: Path) -> int | None:
    """The image side that transformers' config beside the weights states [px]."""
    try:
        config = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    vision = config.get("vision_config", {})
    for place in (vision.get("backbone_config", {}), vision, config.get("prompt_encoder_config", {}), config):
        side = place.get("image_size") if isinstance(place, dict) else None
        side = side[0] if isinstance(side, list) and side else side
        if isinstance(side, int):
            return side
    return None


def _is_archive(path: Path) -> bool:
    try:
        return zipfile.is_zipfile(path)
    except zipfile.BadZipFile:
        return False


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
