"""The file of nano's memory: weights, and which nano they were trained beside."""

from __future__ import annotations

import hashlib
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from clickmask.decoder.errors import CheckpointError
from clickmask.decoder.files import whole_file
from clickmask.decoder.modeling.nano import Nano
from clickmask.decoder.modeling.nano_memory import NanoMemory, NanoMemoryConfig
from clickmask.decoder.models import Model


def nano_digest(nano: nn.Module) -> str:
    """Name the maps that a memory looks at: equal for equal vectors (biases, norms) of the trunk in float16."""
    digest = hashlib.sha256()
    for key, value in sorted(nano.state_dict().items()):
        if value.ndim == 1 and key.startswith(("trunk.", "mask_decoder.conv_s")):
            digest.update(key.encode() + value.detach().cpu().half().numpy().tobytes())
    return digest.hexdigest()


def load_nano_memory(model: Model, path: Path) -> NanoMemory | None:
    """Read nano's memory, in evaluation mode on the model's device; None if it belongs to other weights.

    Raises:
        CheckpointError: If the file is broken or holds something else.
    """
    if not isinstance(model.network, Nano) or read_metadata(path).get("nano") != nano_digest(model.network):
        return None
    memory = NanoMemory(NanoMemoryConfig(nano=model.network.config))
    try:
        with safe_open(path, "pt") as file:
            memory.load_state_dict({key: file.get_tensor(key).float() for key in file.keys()})  # noqa: SIM118
    except RuntimeError as error:
        raise CheckpointError(f"{path} does not hold nano's memory: {error}") from error
    return memory.eval().requires_grad_(False).to(model.device)


def save_nano_memory(memory: NanoMemory, path: Path, metadata: dict[str, str]) -> None:
    """Write the weights as float16; a reader sees the old file or the new one."""
    state = {key: value.detach().cpu().half().contiguous() for key, value in memory.state_dict().items()}
    with whole_file(path) as part:
        save_file(state, part, metadata=metadata)


def read_metadata(path: Path) -> dict[str, str]:
    """What the file says of itself: ``nano``, a digest, and ``held_out_iou``.

    Raises:
        CheckpointError: If the file is broken.
    """
    try:
        with safe_open(path, "pt") as file:
            return dict(file.metadata() or {})
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path} cannot be read as weights: {error}") from error
