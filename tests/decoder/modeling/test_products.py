"""oneDNN multiplies as torch does, and the copies that use it share their weights."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from clickmask.decoder.modeling import products
from clickmask.decoder.modeling.products import attention, linear, linear_gelu, matmul, with_products


@pytest.fixture(params=[True, False], ids=["oneDNN", "torch"])
def chosen(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Either way to multiply, whatever this machine's processor would choose."""
    if request.param and not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        pytest.skip("this torch is without oneDNN")
    monkeypatch.setattr(products, "is_worthwhile", lambda: request.param)
    monkeypatch.setattr(products, "WORTHWHILE", 1)
    return bool(request.param)


def near(found: Tensor, wanted: Tensor) -> None:
    torch.testing.assert_close(found, wanted, atol=1e-4, rtol=1e-5)


@pytest.mark.usefixtures("chosen")
@pytest.mark.parametrize("shape", [(100, 24), (2, 9, 8, 24), (3, 24)])
def test_rows_of_any_shape(shape: tuple[int, ...]) -> None:
    x, weight, bias = torch.randn(shape), torch.randn(40, 24), torch.randn(40)
    near(linear(x, weight, bias), F.linear(x, weight, bias))
    near(linear(x, weight), F.linear(x, weight))
    near(linear_gelu(x, weight, bias), F.gelu(F.linear(x, weight, bias)))


@pytest.mark.usefixtures("chosen")
@pytest.mark.parametrize("images", [1, 3])
def test_prompts_on_one_image_or_on_each_its_own(images: int) -> None:
    a, b = torch.randn(3, 64, 24), torch.randn(images, 100, 24)
    near(matmul(a, b.mT), a @ b.mT)
    near(matmul(a.mT, torch.randn(images, 64, 5).zero_().add_(2)), a.mT @ torch.full((images, 64, 5), 2.0))


@pytest.mark.usefixtures("chosen")
@pytest.mark.parametrize("keys", [20, products.MANY_KEYS])
def test_attention(keys: int) -> None:
    q, k, v = torch.randn(2, 3, 300, 8), torch.randn(2, 3, keys, 8), torch.randn(2, 3, keys, 8)
    near(attention(q, k, v), F.scaled_dot_product_attention(q, k, v))


def test_a_copy_shares_every_weight_and_answers_alike(chosen: bool) -> None:
    network = nn.Sequential(
        nn.Conv2d(3, 16, 3), nn.Conv2d(16, 24, 1), nn.BatchNorm2d(24), nn.Conv2d(24, 24, 1, groups=2)
    )
    network.append(nn.Sequential(nn.Linear(18, 7))).eval()
    copied = with_products(network)
    assert [id(x) for x in copied.state_dict(keep_vars=True).values()] == [
        id(x) for x in network.state_dict(keep_vars=True).values()
    ]
    kinds = [type(layer).__name__ for layer in copied.modules() if not list(layer.children())]
    assert kinds == ["Conv2d", "ProductConv", "BatchNorm2d", "Conv2d", "ProductLinear"]
    x = torch.randn(1, 3, 20, 20).contiguous(memory_format=torch.channels_last)
    with torch.inference_mode():
        near(copied(x), network(x))


def test_what_one_dnn_is_not_for_goes_to_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small products, other types, and autocast."""
    monkeypatch.setattr(products, "is_worthwhile", lambda: True)

    def refuse(*_: object) -> Tensor:
        raise AssertionError("oneDNN was asked")

    monkeypatch.setattr(products, "_by_one_dnn", refuse)
    weight, rows = torch.randn(64, 64), products.WORTHWHILE // 64**2
    linear(torch.randn(rows - 1, 64), weight)
    linear(torch.randn(rows, 64, dtype=torch.float64), weight.double())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        linear(torch.randn(rows, 64), weight)
    with pytest.raises(AssertionError, match="asked"):
        linear(torch.randn(rows, 64), weight)
