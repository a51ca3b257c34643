"""Encode and click: nano, tiny plain and optimised, and transformers' SAM 2 beside them.

Run ``python -m benchmarks.decoder``. Speed does not depend on the weights' values, so tiny has random ones.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.timing import Timing, race
from decoder import Model, Point, Prompt, encode_image, load_model, predict_masks
from decoder.checkpoints import parameter_count
from decoder.modeling.config import Sam2Config
from decoder.modeling.sam2 import Sam2
from decoder.models import MODELS
from decoder.optimize import optimize

Photo = NDArray[np.uint8]  # (H, W, 3) RGB

PHOTO_HW = (750, 1000)
CLICK = Prompt(points=(Point(400, 300),))


def random_tiny() -> Model:
    """sam2.1_hiera_tiny with random weights."""
    config = MODELS["sam2.1_hiera_tiny"].config
    torch.manual_seed(0)
    assert isinstance(config, Sam2Config)
    network = Sam2(config).eval().requires_grad_(False)
    return Model("sam2.1_hiera_tiny", network, torch.device("cpu"), torch.float32, "random")


def encoders(models: dict[str, Model], photo: Photo) -> dict[str, Timing]:
    """Time to encode the photo."""
    return race({name: partial(encode_image, model, photo) for name, model in models.items()}, runs=7, warmup=1)


def clicks(models: dict[str, Model], photo: Photo) -> dict[str, Timing]:
    """Time from a prompt to four masks on an encoded photo."""
    rivals: dict[str, Callable[[], object]] = {
        name: partial(predict_masks, model, encode_image(model, photo), CLICK) for name, model in models.items()
    }
    return race({**rivals, "transformers Sam2Model tiny": transformers_click()}, runs=31)


def transformers_click() -> Callable[[], object]:
    """One click with the peer on PyPI, its embeddings given."""
    from transformers import Sam2Config, Sam2Model

    peer = Sam2Model(Sam2Config()).eval()
    with torch.inference_mode():
        embeddings = peer.get_image_embeddings(torch.zeros(1, 3, 1024, 1024))

    def click() -> None:
        with torch.inference_mode():
            peer(
                input_points=torch.tensor([[[[400.0, 300.0]]]]),
                input_labels=torch.tensor([[[1]]]),
                image_embeddings=embeddings,
            )

    return click


def main() -> None:
    """Print the table."""
    photo = np.random.default_rng(0).integers(0, 256, (*PHOTO_HW, 3), dtype=np.uint8)
    tiny = random_tiny()
    models = {"nano": load_model("nano"), "tiny, plain": tiny, "tiny, optimised": optimize(tiny)}
    encoding, clicking = encoders(models, photo), clicks(models, photo)
    fastest = clicking["tiny, optimised"].median_ms
    print(f"{torch.get_num_threads()} threads, photo {PHOTO_HW[1]}x{PHOTO_HW[0]}\n")
    print("| model | parameters | encode, median | click, median | click, p95 | click against tiny, optimised |")
    print("|---|---|---|---|---|---|")
    for name, timing in clicking.items():
        encode = f"{encoding[name].median_ms:.0f} ms" if name in encoding else "-"
        spec = MODELS["nano" if name == "nano" else "sam2.1_hiera_tiny"]
        print(
            f"| {name} | {parameter_count(spec) / 1e6:.1f} M | {encode} | {timing.median_ms:.1f} ms "
            f"| {timing.percentile_ms(0.95):.1f} ms | {timing.median_ms / fastest:.2f}x |"
        )


if __name__ == "__main__":
    main()
