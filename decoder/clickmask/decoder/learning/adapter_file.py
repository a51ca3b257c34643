"""An adapter as a safetensors file, with what it is in the file's metadata."""

from __future__ import annotations

import json
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from clickmask.decoder.errors import LearningError
from clickmask.decoder.learning.adapter import Adapter
from clickmask.decoder.learning.outcome import Outcome

FORMAT = "clickmask-adapter-1"


def save_adapter(path: Path, adapter: Adapter, outcome: Outcome) -> None:
    """Write an adapter and how it came to be.

    Raises:
        OSError: If the disk does not take it.
    """
    metadata = {
        "format": FORMAT,
        "name": adapter.name,
        "base": adapter.base,
        "outcome": json.dumps(outcome.as_json()),
    }
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in adapter.tensors.items()}
    path.write_bytes(save(tensors, metadata=metadata))


def load_adapter(path: Path) -> Adapter:
    """Read an adapter.

    Raises:
        LearningError: If the file is missing, broken, or something else.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no mapping
    except (OSError, SafetensorError) as error:
        raise LearningError(f"{path} cannot be read as an adapter: {error}") from error
    if metadata.get("format") != FORMAT:
        raise LearningError(f"{path} is no adapter of ClickMask (its format is {metadata.get('format')!r})")
    return Adapter(metadata.get("name", path.stem), metadata.get("base", ""), tensors)
