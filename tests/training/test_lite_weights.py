"""Published weights find their places: in the order of the layers, every one of them once."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from clickmask.decoder.errors import CheckpointError
from clickmask.decoder.modeling.config import LITE0, LITE1
from clickmask.decoder.modeling.lite import LiteTrunk
from training.lite_weights import read_lite

EXPANSIONS = (1, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6)
WIDTHS = (32, 16, 24, 24, 40, 40, 80, 80, 80, 112, 112, 112, 192, 192, 192, 192, 320)  # before and after each block
KERNELS = (3, 3, 3, 5, 5, 3, 3, 3, 5, 5, 5, 5, 5, 5, 5, 3)


def _norm(name: str, width: int) -> dict[str, Tensor]:
    parts = ("weight", "bias", "running_mean", "running_var")
    return {f"{name}.{part}": torch.rand(width) for part in parts} | {f"{name}.num_batches_tracked": torch.tensor(1)}


def _published() -> dict[str, Tensor]:
    """A state dict as the file holds it, with random numbers; written from its own list of keys."""
    state = {"_conv_stem.weight": torch.rand(32, 3, 3, 3), **_norm("_bn0", 32)}
    for number, (expansion, kernel) in enumerate(zip(EXPANSIONS, KERNELS, strict=True)):
        before, after = WIDTHS[number : number + 2]
        inner = before * expansion
        block = {"_depthwise_conv.weight": torch.rand(inner, 1, kernel, kernel), **_norm("_bn1", inner)}
        block |= {"_project_conv.weight": torch.rand(after, inner, 1, 1), **_norm("_bn2", after)}
        if expansion > 1:
            block |= {"_expand_conv.weight": torch.rand(inner, before, 1, 1), **_norm("_bn0", inner)}
        state |= {f"_blocks.{number}.{key}": value for key, value in block.items()}
    state |= {"_conv_head.weight": torch.rand(1280, 320, 1, 1), **_norm("_bn1", 1280)}
    return state | {"_fc.weight": torch.rand(1000, 1280), "_fc.bias": torch.rand(1000)}


def test_every_tensor_finds_its_place(tmp_path: Path) -> None:
    published = _published()
    torch.save(published, tmp_path / "lite0.pth")
    state, head = read_lite(tmp_path / "lite0.pth", LITE0)
    trunk = LiteTrunk(LITE0).eval()
    trunk.load_state_dict(state, strict=True)
    assert len(state) + len(head.state) == len(published)
    assert torch.equal(state["stages.0.0.look.0.weight"], published["_blocks.0._depthwise_conv.weight"])
    assert torch.equal(state["stages.3.1.widen.1.running_var"], published["_blocks.6._bn0.running_var"])
    assert torch.equal(state["stages.6.0.narrow.0.weight"], published["_blocks.15._project_conv.weight"])
    assert head.logits(trunk(torch.rand(1, 3, 64, 64)).s32).shape == (1, 1000)


def test_a_file_of_another_size_is_named(tmp_path: Path) -> None:
    torch.save(_published(), tmp_path / "lite0.pth")
    with pytest.raises(CheckpointError, match=r"lite0\.pth is of another network: stages\."):
        read_lite(tmp_path / "lite0.pth", LITE1)
