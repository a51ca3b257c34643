"""Encode and click: nano, tiny plain and optimised, and transformers' SAM 2 beside them; and how near tiny is to SAM 2.

Run ``python -m benchmarks.decoder``, with ``--device cuda`` on a GPU, where bfloat16 is timed as well. Prints two
Markdown tables: times, and the largest differences from the recorded answers of the official code, whose
deterministic weights tiny has (speed does not depend on their values).
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.timing import Timing, place_name, race
from clickmask.decoder import Model, Point, Prompt, binarize, encode_image, load_image, load_model, predict_masks
from clickmask.decoder.checkpoints import find_device, parameter_count
from clickmask.decoder.choose import single_mask
from clickmask.decoder.models import MODELS, Precision
from clickmask.decoder.optimize import optimize
from clickmask.decoder.segment import MaskSet
from tests.decoder.modeling.test_parity import CLICK, NOT_THERE, PROMPTS
from tests.sam2_reference import DATA, reference_weights

Photo = NDArray[np.uint8]  # (H, W, 3) RGB
Rivals = dict[str, Callable[[], object]]

PHOTO_HW = (750, 1000)
PEER = "transformers Sam2Model tiny"


def load_tiny(device: torch.device, precision: Precision = "float32") -> Model:
    """sam2.1_hiera_tiny with the weights that the official answers were recorded with."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tiny.pt"
        torch.save(reference_weights("keys_sam2.1_t.json"), path)
        return load_model(path, device=device, precision=precision)


def encoders(models: dict[str, Model], photo: Photo) -> dict[str, Timing]:
    """Time to encode the photo; the peer gets its pixels already resized and normalised."""
    rivals: Rivals = {name: partial(encode_image, model, photo) for name, model in models.items()}
    device = models["nano"].device
    return race({**rivals, PEER: peer_encoder(device)}, runs=5 if device.type == "cpu" else 31, device=device)


def clicks(models: dict[str, Model], photo: Photo) -> dict[str, Timing]:
    """Time from a prompt to four masks on an encoded photo."""
    prompt = Prompt(points=(Point(400, 300),))
    rivals: Rivals = {
        name: partial(predict_masks, model, encode_image(model, photo), prompt) for name, model in models.items()
    }
    device = models["nano"].device
    return race({**rivals, PEER: peer_click(device)}, runs=31, device=device)


def peer(device: torch.device) -> Any:
    """SAM 2 tiny as transformers has it."""
    from transformers import Sam2Config, Sam2Model

    return Sam2Model(Sam2Config()).eval().to(device)


def peer_encoder(device: torch.device) -> Callable[[], object]:
    """One image with the peer on PyPI."""
    network, pixels = peer(device), torch.zeros(1, 3, 1024, 1024, device=device)

    def encode() -> None:
        with torch.inference_mode():
            network.get_image_embeddings(pixels)

    return encode


def peer_click(device: torch.device) -> Callable[[], object]:
    """One click with the peer on PyPI, its embeddings given."""
    network = peer(device)
    with torch.inference_mode():
        embeddings = network.get_image_embeddings(torch.zeros(1, 3, 1024, 1024, device=device))

    def click() -> None:
        with torch.inference_mode():
            network(
                input_points=torch.tensor([[[[400.0, 300.0]]]], device=device),
                input_labels=torch.tensor([[[1]]], device=device),
                image_embeddings=embeddings,
            )

    return click


def print_times(models: dict[str, Model]) -> None:
    """Print what a photo and a click take."""
    photo = np.random.default_rng(0).integers(0, 256, (*PHOTO_HW, 3), dtype=np.uint8)
    encoding, clicking = encoders(models, photo), clicks(models, photo)
    print(f"{place_name(models['nano'].device)}, photo {PHOTO_HW[1]}x{PHOTO_HW[0]}\n")
    print("| model | parameters | encode, median | over transformers | click, median | p95 | over transformers |")
    print("|---|---|---|---|---|---|---|")
    for name, click in clicking.items():
        spec, encode = MODELS["nano" if name.startswith("nano") else "sam2.1_hiera_tiny"], encoding[name]
        print(
            f"| {name} | {parameter_count(spec) / 1e6:.1f} M "
            f"| {encode.median_ms:.3g} ms | {encode.median_ms / encoding[PEER].median_ms:.2f}x "
            f"| {click.median_ms:.1f} ms | {click.percentile_ms(0.95):.1f} ms "
            f"| {click.median_ms / clicking[PEER].median_ms:.2f}x |"
        )


def print_parity(plain: Model, fast: Model) -> None:
    """Print the largest differences from the official answers, prompt by prompt."""
    recorded = dict(np.load(DATA / "image_sam2.1_t.npz"))
    earlier = torch.from_numpy(recorded["prev_low"]).float().reshape(256, 256)
    prompts = {**PROMPTS, "refine": Prompt(points=(CLICK, NOT_THERE), mask_logits=earlier)}
    truck = load_image(DATA / "truck_900x600.png")
    seen = [(model, encode_image(model, truck)) for model in (plain, fast)]
    print("\n| prompt | logits (asked 1e-3) | predicted IoU (1e-4) | mask area (1e-4) | the same, optimised |")
    print("|---|---|---|---|---|")
    for name, prompt in prompts.items():
        answers = [predict_masks(model, embedding, prompt) for model, embedding in seen]
        for fixture in (name,) if name == "refine" else (f"{name}_multi", f"{name}_single"):
            first, second = (differences(answer, fixture, recorded) for answer in answers)
            cells = [f"{number:.1e}" for number in first]
            print(f"| {fixture} | {' | '.join(cells)} | {', '.join(f'{number:.1e}' for number in second)} |")


def differences(answer: MaskSet, fixture: str, recorded: dict[str, Any]) -> tuple[float, float, float]:
    """Largest differences in logits, predicted IoU and relative area of a recorded answer's masks."""
    rows = [1, 2, 3] if fixture.endswith("multi") else [single_mask(answer)]
    logits = np.abs(answer.logits[rows][:, ::4, ::4].numpy() - recorded[f"{fixture}_low"]).max()
    iou = np.abs(answer.predicted_iou[rows].numpy() - recorded[f"{fixture}_iou"]).max()
    areas = np.array([binarize(answer.logits[row], answer.size).sum() for row in rows])
    area = np.abs(areas / recorded[f"{fixture}_area"] - 1).max()
    return float(logits), float(iou), float(area)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu", help="where to compute, such as cpu or cuda (default: %(default)s)")
    device = find_device(parser.parse_args().device)
    tiny = load_tiny(device)
    fast = optimize(tiny)
    models = {"nano": load_model("nano", device=device), "tiny, plain": tiny, "tiny, optimised": fast}
    if device.type != "cpu":
        models["nano, bfloat16"] = load_model("nano", device=device, precision="bfloat16")
        models["tiny, optimised, bfloat16"] = optimize(load_tiny(device, "bfloat16"))
    print_times(models)
    print_parity(tiny, fast)


if __name__ == "__main__":
    main()
