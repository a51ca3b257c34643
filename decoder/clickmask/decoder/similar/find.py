"""Find the objects of a picture that are like the examples: each once, and none that is annotated already."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from pycocotools import mask as coco_mask
from torch import Tensor

from clickmask.decoder.auto.found import CutMask, FoundMask, as_found
from clickmask.decoder.modeling.config import Geometry
from clickmask.decoder.prompts import Size
from clickmask.decoder.shapes.masks import window as filled_window
from clickmask.decoder.shapes.rle import Rle
from clickmask.decoder.similar.candidates import CutOut, ask, compare, cut_best, likeness, peaks
from clickmask.decoder.similar.evidence import weigh
from clickmask.decoder.similar.examples import Kind
from clickmask.decoder.similar.looks import OpenWindow, Seen, look, spread
from clickmask.decoder.similar.score import chances
from clickmask.decoder.similar.windows import feature_cells, search_windows

LEAST_SCORE = 0.55  # of what is proposed
KNOWN_IOU = 0.5  # with an object that is annotated already, for a proposal to be that object
NESTED = 0.8  # share of the smaller of two masks that lies in the larger, for them to be one object,
NESTED_AREA = 0.2  # unless the smaller is but this share of the larger: a wheel on a car

Progress = Callable[[float], None]  # told the share done, in (0, 1]


@dataclass(frozen=True, slots=True, eq=False)
class SimilarObject:
    """An object that is like the examples.

    Args:
        found: Its mask.
        score: The chance that it is one of them and its mask is good, in [0, 1].
        evidence: What the score was made of, see ``evidence.NAMES``.
    """

    found: FoundMask
    score: float
    evidence: Tensor


def find_similar(
    open_window: OpenWindow,
    size: Size,
    kind: Kind,
    geometry: Geometry,
    *,
    known: Sequence[Rle] = (),
    progress: Progress,
    least_score: float = LEAST_SCORE,
) -> list[SimilarObject]:
    """Propose the objects of a picture that are like the examples.

    Args:
        open_window: Encodes a window of the picture.
        size: Of the picture.
        kind: What is looked for.
        geometry: Of the network.
        known: Objects of the picture that are annotated already; they are not proposed again.
        progress: Told the share done, in (0, 1], after each window.
        least_score: What scores lower is not proposed.

    Returns:
        Best first.
    """
    judged = judge_candidates(open_window, size, kind, geometry, progress)
    return keep_each_once([one for one in judged if one.score >= least_score], known)


def judge_candidates(
    open_window: OpenWindow, size: Size, kind: Kind, geometry: Geometry, progress: Progress
) -> list[SimilarObject]:
    """Every candidate with its score, many of the same objects, in no order."""
    diameter_px = kind.diameter_px(size)
    opened = [open_window(window) for window in search_windows(size, diameter_px, feature_cells(geometry))]
    all_looks = [look(seen, geometry) for seen in opened]
    picture = spread(all_looks)
    judged: list[SimilarObject] = []
    for done, (seen, looks) in enumerate(zip(opened, all_looks, strict=True), start=1):
        points = peaks(likeness(looks, kind, picture), seen.window.size, diameter_px)
        answers = ask(seen, points, diameter_px)
        cut_outs = [] if answers is None else list(cut_best(seen, looks, answers, kind, picture, size))
        if cut_outs:
            evidence = weigh(compare(looks, cut_outs, seen.window, size), kind, picture)
            judged += [
                SimilarObject(_found(seen, cut_out, size), float(score), values)
                for cut_out, score, values in zip(cut_outs, chances(evidence), evidence.values, strict=True)
            ]
        progress(done / len(opened))
    return judged


def keep_each_once(judged: Sequence[SimilarObject], known: Sequence[Rle] = ()) -> list[SimilarObject]:
    """Of several masks of one object keep the best, and none of an object that is known.

    Two masks are of one object if their IoU is ``KNOWN_IOU`` or more, or if one lies within the other and is not but
    a small part of it.

    Returns:
        Best first.
    """
    best_first = sorted(judged, key=lambda one: one.score, reverse=True)
    taken = [_encoded(rle) for rle in known]
    kept = []
    for one in best_first:
        own = _encoded(one.found.rle)
        if taken and _is_taken(own, taken):
            continue
        taken.append(own)
        kept.append(one)
    return kept


def _is_taken(own: dict[str, Any], taken: list[dict[str, Any]]) -> bool:
    area = float(coco_mask.area(own))
    areas = np.asarray(coco_mask.area(taken), np.float64)
    shared = np.asarray(coco_mask.iou([own], taken, [1] * len(taken)))[0] * area  # "crowds": shared area of own area
    smaller, larger = np.minimum(areas, area), np.maximum(areas, area)
    same = shared >= KNOWN_IOU * (area + areas - shared)
    nested = (shared >= NESTED * smaller) & (smaller > NESTED_AREA * larger)
    return bool((same | nested).any())


def _found(seen: Seen, cut_out: CutOut, size: Size) -> FoundMask:
    filled = filled_window(cut_out.inside.view(np.uint8))
    assert filled is not None  # what is empty was left out
    rows, columns = filled
    cut = CutMask(cut_out.inside[rows, columns], columns.start, rows.start, cut_out.stability)
    return as_found(cut, cut_out.predicted_iou, replace(cut_out.point), seen.window, size)


def _encoded(rle: Rle) -> dict[str, Any]:
    return {"size": rle["size"], "counts": rle["counts"].encode()}
