"""Worth first: what share of the bad masks is among the first 40 % of a queue, the lowest score first.

    python -m benchmarks.worth FOLDER

One mask for each object, in turn of a click at its deepest point and of its box; bad is an IoU below 0.7.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from clickmask.decoder import Engine, ImageSource, Prompt, load_image, load_model
from clickmask.decoder.evaluation.clicks import read_segments, sample_segments
from clickmask.decoder.shapes import deepest_point, mask_iou, mask_to_box

BAD_IOU = 0.7
FIRST = 0.4  # of the queue


def caught(scores: Sequence[float], ious: Sequence[float]) -> float:
    """The share of the bad masks that come first when the lowest score does.

    Example:
        >>> caught([0.1, 0.9, 0.2, 0.8, 0.7], [0.2, 0.9, 0.9, 0.5, 0.9])
        0.5
    """
    bad = np.asarray(ious) < BAD_IOU
    first = np.argsort(np.asarray(scores), kind="stable")[: round(FIRST * len(bad))]
    return float(bad[first].sum() / max(1, bad.sum()))


def main() -> None:
    """Measure on objects as ``clickmask evaluate`` reads them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--objects", type=int, default=220, help="how many (default: %(default)s)")
    parser.add_argument("--model", default="nano", help="(default: %(default)s)")
    given = parser.parse_args()
    engine = Engine(load_model(given.model))
    found: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for number, segment in enumerate(sample_segments(read_segments(given.folder), given.objects, seed=3)):
        truth = segment.truth()
        deepest = deepest_point(truth)
        if deepest is None:
            continue
        name, prompt = ("box", Prompt(box=mask_to_box(truth))) if number % 2 else ("click", Prompt((deepest[0],)))
        answer = engine.segment(ImageSource(str(segment.image), partial(load_image, segment.image)), prompt)
        found[name].append((answer.score, mask_iou(answer.mask(), truth)))
    for name, rows in found.items():
        scores, ious = zip(*rows, strict=True)
        bad = np.mean(np.asarray(ious) < BAD_IOU)
        print(f"{name}: {len(rows)} masks, {bad:.0%} bad, {caught(scores, ious):.0%} of those in the first {FIRST:.0%}")


if __name__ == "__main__":
    main()
