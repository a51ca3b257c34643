"""The standard click evaluation: how good is a mask after so many clicks, how many clicks does a good mask need."""

from __future__ import annotations

import json
import statistics
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from clickmask.decoder.errors import DatasetError
from clickmask.decoder.evaluation.methods import Answer, Method, Session
from clickmask.decoder.evaluation.person import Mask, human_click, next_click
from clickmask.decoder.images import load_image, open_picture
from clickmask.decoder.prompts import Box, Point, Prompt
from clickmask.decoder.shapes import mask_iou, mask_to_box

MOST_CLICKS = 20
ALWAYS_PLAYED = 10  # clicks, even where the mask is good already: mIoU is reported up to here
GOOD_ENOUGH = 0.90  # no further clicks after this, beyond those
LEAST_AGREEMENT = 0.8  # between annotators, where the data set says


@dataclass(frozen=True)
class Segment:
    """One object to find."""

    name: str
    image: Path
    mask: Path

    def truth(self) -> Mask:
        """Its mask, (H, W).

        Raises:
            DatasetError: If the mask is empty.
            ImageError: If it cannot be read.
        """
        with open_picture(self.mask) as picture:
            truth = np.asarray(picture.convert("L")) > 127
        if not truth.any():
            raise DatasetError(f"the mask {self.mask} is empty, wanted an object")
        return truth


@dataclass(frozen=True)
class Record:
    """What happened with one segment.

    Args:
        click_ious: After 1, 2, ... clicks.
        box_ious: After a box and 0, 1, ... clicks.
        human_ious: After 1, 2, ... clicks that are not at the deepest point, see ``human_click``.
        score: The IoU predicted after one click; None where a method predicts none.
        single_iou: Of mask row 0 after one click; the first answer's where a method has no rows.
        oracle_iou: Of the best of all rows after one click.
        seconds_per_click: Of the method alone; what the person takes is not counted.
    """

    name: str
    area_share: float
    click_ious: tuple[float, ...]
    box_ious: tuple[float, ...]
    single_iou: float
    oracle_iou: float
    object_score: float
    seconds_per_click: float
    human_ious: tuple[float, ...] = ()
    score: float | None = None


def read_segments(folder: Path) -> list[Segment]:
    """List a data set's objects, those with agreeing annotators only.

    Args:
        folder: Holds ``index.json``, a list of ``{"image": path, "mask": path}`` with paths relative to the folder
            and optionally ``"agreement"`` from 0 to 1. A mask is a picture, bright on the object.

    Raises:
        DatasetError: If the index is missing or not such a list, or names no object.
    """
    index = folder / "index.json"
    try:
        entries = json.loads(index.read_text())
        segments = [
            Segment(Path(entry["mask"]).stem, folder / entry["image"], folder / entry["mask"])
            for entry in entries
            if entry.get("agreement", 1.0) > LEAST_AGREEMENT
        ]
    except OSError as error:
        raise DatasetError(f"{index} cannot be read, wanted a list of images and masks") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DatasetError(f'{index} is not a list of {{"image": ..., "mask": ...}}: {error!r}') from error
    if not segments:
        raise DatasetError(f"{index} names no object")
    return segments


def sample_segments(segments: Sequence[Segment], count: int, seed: int = 0) -> list[Segment]:
    """A random sample, the same for the same seed; all of them if there are no more.

    Raises:
        DatasetError: If the count is not positive.
    """
    if count < 1:
        raise DatasetError(f"a sample of {count} objects shows nothing, wanted at least 1")
    chosen = np.random.default_rng(seed).permutation(len(segments))[:count]
    return [segments[index] for index in sorted(chosen)]


def evaluate(method: Method, segments: Iterable[Segment]) -> Iterator[Record]:
    """Play every segment with clicks alone and with a box first; segments of one image share its session."""
    opened: tuple[Path, Session] | None = None
    for segment in segments:
        if opened is None or opened[0] != segment.image:
            opened = (segment.image, method.open(load_image(segment.image)))
        yield play(segment.name, opened[1], segment.truth())


def play(name: str, session: Session, truth: Mask) -> Record:
    """Click on one object until it is found, or ``MOST_CLICKS`` are spent."""
    clicks = _play_clicks(session, truth, None, MOST_CLICKS, next_click)
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    human = _play_clicks(session, truth, None, MOST_CLICKS, partial(human_click, rng=rng))
    boxed = _play_clicks(session, truth, mask_to_box(truth), ALWAYS_PLAYED, next_click)
    first = clicks[0]
    options = [mask_iou(option, truth) for option in first.answer.options] or [first.iou]
    return Record(
        name=name,
        area_share=float(truth.mean()),
        click_ious=tuple(turn.iou for turn in clicks),
        box_ious=tuple(turn.iou for turn in boxed),
        single_iou=options[0],
        oracle_iou=max(options),
        object_score=first.answer.object_score,
        seconds_per_click=statistics.fmean(turn.seconds for turn in (*clicks, *boxed)),
        human_ious=tuple(turn.iou for turn in human),
        score=first.answer.score,
    )


NextClick = Callable[[Mask, Mask], Point | None]  # (truth, answer) to a click


class _Turn(NamedTuple):
    """One prompt and what came of it."""

    answer: Answer
    iou: float
    seconds: float


def _play_clicks(session: Session, truth: Mask, box: Box | None, most: int, click_on: NextClick) -> list[_Turn]:
    """One turn per click (and one for the box)."""
    points: tuple[Point, ...] = ()
    answer = Answer(np.zeros_like(truth))
    played: list[_Turn] = []
    if box is not None:
        played.append(_turn(session, truth, Prompt(box=box)))
        answer = played[0].answer
    for number in range(most):
        if number >= ALWAYS_PLAYED and played[-1].iou >= GOOD_ENOUGH:
            break
        click = click_on(truth, answer.mask)
        if click is None:
            break
        points = (*points, click)
        played.append(_turn(session, truth, Prompt(points=points, box=box, mask_logits=answer.logits)))
        answer = played[-1].answer
    return played


def _turn(session: Session, truth: Mask, prompt: Prompt) -> _Turn:
    started = time.perf_counter()
    answer = session.answer(prompt)
    seconds = time.perf_counter() - started
    return _Turn(answer, mask_iou(answer.mask, truth), seconds)


def after(ious: Sequence[float], count: int) -> float:
    """IoU after so many answers; the last where fewer were needed."""
    return ious[min(count, len(ious)) - 1]


def number_of_clicks(ious: Sequence[float], target: float) -> int:
    """Clicks until the IoU first reaches a target; ``MOST_CLICKS`` where it never does."""
    reached = [number for number, quality in enumerate(ious, start=1) if quality >= target]
    return reached[0] if reached else MOST_CLICKS


def calibration_error(predicted: Sequence[float], found: Sequence[float], bins: int = 10) -> float:
    """Expected calibration error: how far predicted IoUs lie from those found, in the mean over bins of predictions.

    Example:
        >>> round(calibration_error([0.95, 0.95, 0.15], [0.9, 0.8, 0.15]), 3)
        0.067
    """
    claims, truths = np.asarray(predicted), np.asarray(found)
    numbers = np.minimum((claims * bins).astype(int), bins - 1)
    of_bins = [numbers == number for number in set(numbers.tolist())]
    return float(sum(abs(claims[one].mean() - truths[one].mean()) * one.mean() for one in of_bins))


@dataclass(frozen=True)
class Summary:
    """Means over all segments."""

    method: str
    segments: int
    clicks: dict[int, float]  # number of clicks -> mIoU
    single: float  # mIoU of row 0 after one click
    oracle: float  # mIoU of the best row after one click
    box: dict[int, float]  # clicks after the box -> mIoU
    noc: dict[int, float]  # IoU in percent -> mean number of clicks
    failed_90: float  # share that never reaches 0.90
    seconds_per_click: float  # median
    human: dict[int, float]  # number of human-like clicks -> mIoU
    human_noc85: float
    calibration_error: float | None  # of the IoU predicted after one click; None where a method predicts none


def summarise(method: str, records: Sequence[Record]) -> Summary:
    """Average the records of one method."""

    def mean(values: Iterable[float]) -> float:
        return statistics.fmean(values)

    rated = [(r.score, r.click_ious[0]) for r in records if r.score is not None]
    return Summary(
        method=method,
        segments=len(records),
        clicks={count: mean(after(r.click_ious, count) for r in records) for count in (1, 2, 3, 5, 10)},
        single=mean(r.single_iou for r in records),
        oracle=mean(r.oracle_iou for r in records),
        box={count: mean(after(r.box_ious, count + 1) for r in records) for count in (0, 1, 3, 5, 10)},
        noc={percent: mean(number_of_clicks(r.click_ious, percent / 100) for r in records) for percent in (80, 85, 90)},
        failed_90=mean(max(r.click_ious) < GOOD_ENOUGH for r in records),
        seconds_per_click=statistics.median(r.seconds_per_click for r in records),
        human={count: mean(after(r.human_ious or r.click_ious, count) for r in records) for count in (1, 3, 5)},
        human_noc85=mean(number_of_clicks(r.human_ious or r.click_ious, 0.85) for r in records),
        calibration_error=calibration_error([r[0] for r in rated], [r[1] for r in rated]) if rated else None,
    )
