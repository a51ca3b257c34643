"""What it brings that each click starts from the answer before: mean IoU after 1, 2, ... clicks, with and without.

Run ``python -m benchmarks.refinement FOLDER``, a folder of objects as ``decoder.training.evaluation`` reads them.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from decoder import Model, Point, Prompt, binarize, choose_mask, encode_image, load_image, load_model, predict_masks
from decoder.training.evaluation import Segment, read_segments, sample_segments
from decoder.training.person import iou, next_click

CLICKS = 6


def play(model: Model, segment: Segment, *, refine: bool) -> list[float]:
    """Click on one object, each time where the answer is most wrong; the IoU after each click."""
    truth = segment.truth()
    embedding = encode_image(model, load_image(segment.image))
    points: tuple[Point, ...] = ()
    mask, logits, ious = np.zeros_like(truth), None, [0.0]
    for _ in range(CLICKS):
        click = next_click(truth, mask)
        if click is not None:
            points = (*points, click)
            masks = predict_masks(model, embedding, Prompt(points, mask_logits=logits))
            row = choose_mask(masks, Prompt(points))
            mask = binarize(masks.logits[row], masks.size)
            logits = masks.logits[row] if refine else None
        ious.append(iou(mask, truth))
    return ious[1:]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.refinement")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--objects", type=int, default=100, help="how many objects (default: %(default)s)")
    parser.add_argument("--model", default="nano", help="(default: %(default)s)")
    given = parser.parse_args()
    model, segments = load_model(given.model), sample_segments(read_segments(given.folder), given.objects)
    print(f"mean IoU of {len(segments)} objects | " + " | ".join(f"{count} clicks" for count in range(1, CLICKS + 1)))
    for refine, name in (
        (True, "each click starts from the answer before"),
        (False, "each answer starts from nothing"),
    ):
        means = np.mean([play(model, segment, refine=refine) for segment in segments], axis=0)
        print(f"{name} | " + " | ".join(f"{mean:.3f}" for mean in means))


if __name__ == "__main__":
    main()
