"""Matrix products on a processor, by the library that uses all of it.

torch multiplies float32 by MKL, which leaves half of an AMD processor with AVX-512 unused; oneDNN, which torch has for
convolutions, does not. So where there is AVX-512, all but small products go to oneDNN; its operation is the
one that torch's own compiler calls. The numbers are the same to rounding, whoever multiplies.
"""

from __future__ import annotations

from typing import TypeVar, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from clickmask.decoder.modeling.shared import with_weights

WORTHWHILE = 2**20  # multiplications; a product of fewer is over before oneDNN has prepared it
MANY_KEYS = 1024  # attention to fewer is as fast in torch's fused kernel
ROWS_AT_ONCE = 256  # of an attention's weights: what a processor's cache holds

ModuleT = TypeVar("ModuleT", bound=nn.Module)


def is_worthwhile() -> bool:
    """Whether this machine's processor is used better by oneDNN."""
    capability = torch.backends.cpu.get_cpu_capability()
    return capability == "AVX512" and torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """As ``torch.nn.functional.linear``: (..., K), (N, K), (N,) -> (..., N)."""
    return _by_one_dnn(x, weight, bias, "none") if _fits(x, len(weight)) else F.linear(x, weight, bias)


def linear_gelu(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """GELU of ``linear``, in one pass."""
    if _fits(x, len(weight)):
        return _by_one_dnn(x, weight, bias, "gelu")
    return cast(Tensor, torch.ops.aten.gelu_(F.linear(x, weight, bias)))


def matmul(a: Tensor, b: Tensor) -> Tensor:
    """Products of a batch (B, R, K) and one or as many matrices (B or 1, K, N): (B, R, N)."""
    if not _fits(a[0], b.shape[-1]):
        return a @ b
    if len(b) == 1:
        return _by_one_dnn(a, b[0].mT, None, "none")
    return torch.stack([_by_one_dnn(left, right.mT, None, "none") for left, right in zip(a, b, strict=True)])


def attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """As ``torch.nn.functional.scaled_dot_product_attention``: (B, heads, L, c), twice (B, heads, M, c)."""
    if k.shape[2] < MANY_KEYS or not _fits(q, k.shape[2]):
        return F.scaled_dot_product_attention(q, k, v)
    batch, heads, count, width = q.shape
    mixed = q.new_empty(batch, count, heads, width)
    for row in range(batch):
        for head in range(heads):
            keys, values = k[row, head] * width**-0.5, v[row, head].mT.contiguous()
            for start in range(0, count, ROWS_AT_ONCE):
                rows = slice(start, start + ROWS_AT_ONCE)
                weights = linear(q[row, head, rows].contiguous(), keys).softmax(-1)
                mixed[row, rows, head] = linear(weights, values)
    return mixed.transpose(1, 2)


class ProductLinear(nn.Linear):
    """A linear layer with the weights of another, by ``linear``."""

    def __init__(self, layer: nn.Linear) -> None:
        super().__init__(layer.in_features, layer.out_features, bias=layer.bias is not None, device="meta")
        self.weight, self.bias = layer.weight, layer.bias

    def forward(self, x: Tensor) -> Tensor:
        """(..., K) -> (..., N)."""
        return linear(x, self.weight, self.bias)


class ProductConv(nn.Conv2d):
    """A 1x1 convolution with the weights of another, by ``linear`` where the map has its channels last."""

    def __init__(self, layer: nn.Conv2d) -> None:
        super().__init__(layer.in_channels, layer.out_channels, 1, bias=layer.bias is not None, device="meta")
        self.weight, self.bias = layer.weight, layer.bias

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C', H, W)."""
        if not x.is_contiguous(memory_format=torch.channels_last):
            return super().forward(x)
        return linear(x.permute(0, 2, 3, 1), self.weight.flatten(1), self.bias).permute(0, 3, 1, 2)


def with_products(module: ModuleT) -> ModuleT:
    """A copy that shares all weights, and multiplies as it is done here."""
    if isinstance(module, nn.Linear | nn.Conv2d):
        return cast(ModuleT, _layer(module))
    copied = with_weights(module, {})
    for parent in list(copied.modules()):
        for name, child in parent.named_children():
            setattr(parent, name, _layer(child))
    return copied


def _layer(layer: nn.Module) -> nn.Module:
    if type(layer) is nn.Linear:
        return ProductLinear(layer)
    if isinstance(layer, nn.Conv2d) and layer.kernel_size == layer.stride == (1, 1) and layer.groups == 1:
        return ProductConv(layer)
    return layer


def _fits(x: Tensor, width: int) -> bool:
    """Whether oneDNN should multiply rows (..., K) by a matrix (K, width)."""
    return (
        x.dtype == torch.float32
        and x.is_cpu
        and x.numel() * width >= WORTHWHILE
        and is_worthwhile()
        and not torch.is_autocast_enabled("cpu")
    )


def _by_one_dnn(x: Tensor, weight: Tensor, bias: Tensor | None, activation: str) -> Tensor:
    return cast(Tensor, torch.ops.mkldnn._linear_pointwise(x, weight, bias, activation, [], "none"))
