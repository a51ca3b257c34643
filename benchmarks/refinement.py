"""What a click should start from: mean IoU after 1, 2, ... clicks, from nothing, the network's answer, the mask shown.

Run ``python -m benchmarks.refinement FOLDER``, a folder of objects as
``clickmask.decoder.evaluation.clicks`` reads them.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import numpy as np
from torch import Tensor

from clickmask.decoder import Engine, ImageSource, Point, Prompt, Segmentation, load_image, load_model
from clickmask.decoder.evaluation.clicks import Segment, read_segments, sample_segments
from clickmask.decoder.evaluation.person import next_click
from clickmask.decoder.shapes import mask_iou

CLICKS = 6
HandedOn = Callable[[Segmentation], Tensor | None]
STARTS: Mapping[str, HandedOn] = {
    "nothing": lambda _: None,
    "the network's answer before": lambda answer: answer.logits[answer.chosen],
    "the mask as it was shown": lambda answer: answer.mask_prompt,
}


def play(engine: Engine, segment: Segment, handed_on: HandedOn) -> list[float]:
    """Click on one object, each time where the mask is most wrong; the IoU after each click."""
    truth = segment.truth()
    points: tuple[Point, ...] = ()
    mask, logits, ious = np.zeros_like(truth), None, [0.0]
    image = ImageSource(str(segment.image), partial(load_image, segment.image))
    for _ in range(CLICKS):
        click = next_click(truth, mask)
        if click is not None:
            points = (*points, click)
            answer = engine.segment(image, Prompt(points, mask_logits=logits))
            mask, logits = answer.mask(), handed_on(answer)
        ious.append(mask_iou(mask, truth))
    return ious[1:]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.refinement")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--objects", type=int, default=100, help="how many objects (default: %(default)s)")
    parser.add_argument("--model", default="nano", help="(default: %(default)s)")
    given = parser.parse_args()
    engine, segments = Engine(load_model(given.model)), sample_segments(read_segments(given.folder), given.objects)
    print(f"a click starts from | {' | '.join(f'{count} clicks' for count in range(1, CLICKS + 1))}")
    for name, handed_on in STARTS.items():
        means = np.mean([play(engine, segment, handed_on) for segment in segments], axis=0)
        print(f"{name} | " + " | ".join(f"{mean:.3f}" for mean in means))


if __name__ == "__main__":
    main()
