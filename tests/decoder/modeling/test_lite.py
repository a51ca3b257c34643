"""The lite trunk: its maps' shapes, and the padding that its published weights were trained with."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from clickmask.decoder.modeling.config import LITE0, LITE1, LITE2, LiteConfig
from clickmask.decoder.modeling.lite import LiteTrunk, PaddedConv


@pytest.mark.parametrize(
    ("config", "parameters"),
    [(LITE0, 2_958_848), (LITE1, 3_723_520), (LITE2, 4_357_952)],
    ids=["lite0", "lite1", "lite2"],
)
@torch.no_grad()
def test_every_stride_has_its_map(config: LiteConfig, parameters: int) -> None:
    trunk = LiteTrunk(config).eval()
    assert sum(parameter.numel() for parameter in trunk.parameters()) == parameters
    for stride, width, found in zip((4, 8, 16, 32), trunk.widths, trunk(torch.rand(2, 3, 64, 64)), strict=True):
        assert found.shape == (2, width, 64 // stride, 64 // stride)


@pytest.mark.parametrize(("kernel", "stride", "low", "high"), [(3, 1, 1, 1), (5, 1, 2, 2), (3, 2, 0, 1), (5, 2, 1, 2)])
@torch.no_grad()
def test_what_padding_is_odd_lies_below_and_to_the_right(kernel: int, stride: int, low: int, high: int) -> None:
    convolution = PaddedConv(2, 3, kernel, stride, bias=False)
    x = torch.rand(1, 2, 16, 16)
    wanted: Tensor = F.conv2d(F.pad(x, (low, high, low, high)), convolution.weight, stride=stride)
    assert torch.allclose(convolution(x), wanted, atol=1e-6)
