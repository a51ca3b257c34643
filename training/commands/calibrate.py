"""Make nano's predicted IoU right on average: the last step after training, on photos that people outlined."""

from __future__ import annotations

import argparse
from pathlib import Path

from clickmask.decoder.checkpoints import load_model
from clickmask.decoder.errors import CheckpointError
from clickmask.decoder.evaluation.clicks import read_segments
from clickmask.decoder.modeling.nano import Nano
from training.calibration import calibrate, measure, shifts
from training.nano import export_weights


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Weights in and out, objects."""
    parser.add_argument("weights", type=Path, help="nano's weights, as train-nano wrote them")
    parser.add_argument("folder", type=Path, help="objects outlined by people: index.json, images and masks")
    parser.add_argument("--out", type=Path, required=True, help="file to write")


def run(arguments: argparse.Namespace) -> int:
    """Measure, shift, write."""
    model = load_model(str(arguments.weights))
    if not isinstance(model.network, Nano):
        raise CheckpointError(f"{arguments.weights} holds {model.name}, wanted nano")
    segments = read_segments(arguments.folder)
    by = shifts(measure(model, segments))
    calibrate(model.network, by)
    export_weights(model.network, arguments.out)
    print(f"shifted by {', '.join(f'{value:+.2f}' for value in by)} on {len(segments)} objects; wrote {arguments.out}")
    return 0
