"""List the models: what they are, whose licence they have, where their weights are, and how fast they are here."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from clickmask.decoder.checkpoints import build_network, cached_weights, find_device, load_model, parameter_count
from clickmask.decoder.errors import CheckpointError
from clickmask.decoder.models import DEFAULT_MODEL, DEVICE_HELP, MODELS, Model, ModelSpec
from clickmask.decoder.optimize import optimize
from clickmask.decoder.prompts import Point, Prompt
from clickmask.decoder.recognition import random_weights
from clickmask.decoder.segment import encode_image, predict_masks

CLICKS = 5  # timed, after one that is not
PICTURE = np.zeros((600, 900, 3), np.uint8)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Whether to measure, and what."""
    parser.add_argument(
        "--measure",
        nargs="*",
        metavar="NAME",
        help="measure how long encoding a picture and a click take here: of these models, or of those whose weights "
        "are here; weights that are not here are made up, which takes as long",
    )
    parser.add_argument("--device", default="auto", help=f"{DEVICE_HELP} (default: %(default)s)")


def run(arguments: argparse.Namespace) -> int:
    """Print one line per model, and what was measured."""
    print(f"{'name':24}{'family':11}{'parameters':>12}  {'licence':52}weights")
    for spec in MODELS.values():
        default = " (default)" if spec.name == DEFAULT_MODEL else ""
        millions = f"{parameter_count(spec) / 1e6:.1f} M"
        print(f"{spec.name + default:24}{spec.family:11}{millions:>12}  {spec.licence:52}{_place(spec)}")
    if arguments.measure is not None:
        _print_times(_asked(arguments.measure), arguments.device)
    return 0


def _place(spec: ModelSpec) -> str:
    here = cached_weights(spec)
    if here is not None:
        return f"{here} ({here.stat().st_size / 1e6:.1f} MB)"
    how = "agree to its licence there and log in with `hf auth login`" if spec.gated else "fetched at first use"
    return f"https://huggingface.co/{spec.repository} ({how})"


def _asked(names: Sequence[str]) -> list[ModelSpec]:
    unknown = [name for name in names if name not in MODELS]
    if unknown:
        raise CheckpointError(f"model {unknown[0]!r} is unknown, wanted one of {', '.join(MODELS)}")
    here = [spec for spec in MODELS.values() if cached_weights(spec) is not None]
    return [MODELS[name] for name in names] or here


def _print_times(specs: Sequence[ModelSpec], device: str) -> None:
    rows = [f"{'name':24}{'encode [ms]':>12}{'click [ms]':>12}"]
    for spec in tqdm(specs, unit="model", disable=None):
        encode_ms, click_ms = measure(_model(spec, device))
        rows.append(f"{spec.name:24}{encode_ms:>12.0f}{click_ms:>12.1f}")
    print("\n" + "\n".join(rows))


def _model(spec: ModelSpec, device: str) -> Model:
    if cached_weights(spec) is not None:
        return load_model(spec.name, device=device)
    place = find_device(device)
    network = build_network(spec, random_weights(spec.config), Path("made up"), place)
    return Model(spec.name, network, place, torch.float32, "made up")


def measure(model: Model) -> tuple[float, float]:
    """Time encoding a picture of 900x600 and a click on it, the best of several: both [ms]."""
    model = optimize(model)
    click = Prompt(points=(Point(450, 300),))
    embedding = encode_image(model, PICTURE)
    predict_masks(model, embedding, click)
    return _best_ms(lambda: encode_image(model, PICTURE), 2), _best_ms(
        lambda: predict_masks(model, embedding, click), CLICKS
    )


def _best_ms(call: Callable[[], object], times: int) -> float:
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        call()
        taken.append(time.perf_counter() - start)
    return 1000 * min(taken)
