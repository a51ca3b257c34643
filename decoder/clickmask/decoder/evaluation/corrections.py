"""How many clicks a flawed mask needs, and how often a click makes it worse.

Source: the protocol of "FocalClick" (Chen et al., 2022).
"""

from __future__ import annotations

import statistics
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from clickmask.decoder.evaluation.clicks import Segment, after
from clickmask.decoder.evaluation.flaws import FLAWS, flawed_mask
from clickmask.decoder.evaluation.methods import Method, Session
from clickmask.decoder.evaluation.person import Mask, next_click
from clickmask.decoder.images import load_image
from clickmask.decoder.prompts import Point, Prompt
from clickmask.decoder.shapes import mask_iou

MOST_CLICKS = 10
TARGETS = (0.85, 0.90, 0.95)


@dataclass(frozen=True)
class Correction:
    """What happened with one flawed mask.

    Args:
        ious: Before, and after 1, 2, ... clicks.
    """

    name: str
    flaw: str
    ious: tuple[float, ...]


def correct_all(method: Method, segments: Iterable[Segment]) -> Iterator[Correction]:
    """Give every object every flaw that can be made on it, and click each right; equal objects get equal flaws."""
    for segment in segments:
        session, truth = method.open(load_image(segment.image)), segment.truth()
        for number, (name, flaw) in enumerate(FLAWS.items()):
            rng = np.random.default_rng([zlib.crc32(segment.name.encode()), number])
            before = flawed_mask(truth, flaw, rng)
            if before is not None:
                yield Correction(segment.name, name, tuple(_clicked(session, truth, before)))


def _clicked(session: Session, truth: Mask, before: Mask) -> Iterator[float]:
    mask, points = before, tuple[Point, ...]()
    yield mask_iou(mask, truth)
    for _ in range(MOST_CLICKS):
        click = next_click(truth, mask)
        if click is None:
            return
        points = (*points, click)
        mask = session.answer(Prompt(points=points, mask=mask)).mask
        yield mask_iou(mask, truth)


def corrections_table(method: str, corrections: Sequence[Correction]) -> str:
    """One row per flaw, GitHub Markdown."""
    head = (
        "| method | flaw | masks | median IoU, before / 1 / 2 / 3 clicks | made worse by the first click "
        "| clicks to 0.85/0.90/0.95 |"
    )
    rows = [_row(method, flaw, [one for one in corrections if one.flaw == flaw]) for flaw in FLAWS]
    return "\n".join([head, "|" + "---|" * 6, *rows])


def _row(method: str, flaw: str, played: Sequence[Correction]) -> str:
    if not played:
        return f"| {method} | {flaw} | 0 | | | |"
    medians = [statistics.median(after(one.ious, count + 1) for one in played) for count in range(4)]
    worse = statistics.fmean(after(one.ious, 2) < one.ious[0] for one in played)
    clicks = [statistics.fmean(_clicks_to(one.ious, target) for one in played) for target in TARGETS]
    cells = (
        method,
        flaw,
        str(len(played)),
        " / ".join(f"{median:.3f}" for median in medians),
        f"{100 * worse:.0f} %",
        "/".join(f"{count:.1f}" for count in clicks),
    )
    return "| " + " | ".join(cells) + " |"


def _clicks_to(ious: Sequence[float], target: float) -> int:
    """Clicks until the IoU first reaches a target, 0 where it was there before; ``MOST_CLICKS`` where it never does."""
    return next((number for number, quality in enumerate(ious) if quality >= target), MOST_CLICKS)
