"""Find similar: recall and precision from one and from three examples, in the same picture and in the next ones.

``python -m benchmarks.similar`` measures on drawn pictures; ``--photos FOLDER`` adds photos with outlined objects
(``training.outlined``: those never trained on), ``--later N`` looks through N further pictures of drawn projects.
``python -m benchmarks.similar --fit`` fits the score on other drawn pictures, and on photos that were trained on.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from benchmarks.drawn_kinds import DrawnPicture, draw_pictures
from clickmask.decoder import Engine, ImageSource, Size, encode_image, load_image, load_model, predict_many
from clickmask.decoder.auto.generate import ignore_progress
from clickmask.decoder.refine.window import Window
from clickmask.decoder.shapes import mask_to_rle
from clickmask.decoder.shapes.rle import Rle
from clickmask.decoder.similar.evidence import NAMES
from clickmask.decoder.similar.examples import Kind
from clickmask.decoder.similar.find import SimilarObject, judge_candidates
from clickmask.decoder.similar.looks import Seen
from training.outlined import is_held_out, read_outlined

GOOD_IOU = 0.7
LEAST_OBJECTS = 4
SMALLEST_PX = 30  # what is smaller was cut off by the photo's border
PHOTO_SOURCES = ("nuclei", "kuih", "mushroom")  # most objects of a photo are of one kind
MEASURED_SEED, FITTED_SEED = 7, 107


@dataclass(frozen=True, eq=False)
class Scene:
    """A picture and all its objects of one kind."""

    source: str
    image: ImageSource
    objects: tuple[Rle, ...]


@dataclass(frozen=True)
class Counted:
    """What was proposed on one picture."""

    wanted: int
    found: int
    proposed: int
    good: int
    seconds: float


def drawn_scenes(seed: int, count: int, *, same_looks: bool = False) -> Iterator[Scene]:
    """Drawn pictures with at least four of a kind."""
    for number, picture in enumerate(draw_pictures(seed, count, same_looks=same_looks)):
        objects = tuple(mask_to_rle(mask) for mask in picture.kind)
        if len(objects) >= LEAST_OBJECTS:
            yield Scene("drawn", ImageSource(f"drawn {seed} {number}", partial(_pixels, picture)), objects)


def _pixels(picture: DrawnPicture) -> NDArray[np.uint8]:
    return picture.pixels


def photo_scenes(folder: Path, *, held_out: bool, most: int) -> Iterator[Scene]:
    """Photos whose objects are of one kind, of each source so many."""
    taken: dict[str, int] = defaultdict(int)
    for photo in read_outlined(folder, held_out=held_out):
        if photo.source not in PHOTO_SOURCES or taken[photo.source] == most:
            continue
        assert is_held_out(photo.source, photo.image) == held_out
        ids = np.asarray(cv2.imread(str(photo.wholes), cv2.IMREAD_UNCHANGED))
        masks = [ids == number for number in np.unique(ids) if number]
        objects = tuple(mask_to_rle(mask) for mask in masks if mask.sum() >= SMALLEST_PX)
        if len(objects) >= LEAST_OBJECTS:
            taken[photo.source] += 1
            yield Scene(photo.source, ImageSource(str(photo.image), partial(_read, photo.image)), objects)


def _read(path: Path) -> NDArray[np.uint8]:
    return np.asarray(load_image(path))


def kind_of(engine: Engine, scene: Scene, chosen: Sequence[int]) -> Kind:
    """The kind that some of a picture's objects are examples of."""
    masks = [np.asarray(coco_mask.decode(_encoded(scene.objects[index]))).astype(bool) for index in chosen]
    return Kind(tuple(example for mask in masks if (example := engine.describe(scene.image, mask)) is not None))


def measure_same(engine: Engine, scenes: Iterable[Scene], examples: int, rng: np.random.Generator) -> list[Counted]:
    """Find the others of some objects drawn by lot, in the same picture."""
    counted = []
    for scene in scenes:
        chosen = [int(index) for index in rng.permutation(len(scene.objects))[:examples]]
        start = time.perf_counter()
        kind = kind_of(engine, scene, chosen)
        known = [scene.objects[index] for index in chosen]
        found = engine.find_similar(scene.image, kind, known)
        seconds = time.perf_counter() - start
        rest = [rle for index, rle in enumerate(scene.objects) if index not in chosen]
        counted.append(count(rest, found, seconds))
    return counted


def measure_later(engine: Engine, scenes: Sequence[Scene], rng: np.random.Generator, examples: int) -> list[Counted]:
    """Find objects on further pictures from examples of the first."""
    first, *later = scenes
    kind = kind_of(engine, first, [int(index) for index in rng.permutation(len(first.objects))[:examples]])
    counted = []
    for scene in later:
        start = time.perf_counter()
        found = engine.find_similar(scene.image, kind)
        counted.append(count(scene.objects, found, time.perf_counter() - start))
    return counted


def count(wanted: Sequence[Rle], found: Sequence[SimilarObject], seconds: float) -> Counted:
    """Compare proposals with objects; each object counts once, and one that was an example is no good one."""
    ious = overlaps([one.found.rle for one in found], wanted)
    taken: set[int] = set()
    good = 0
    for row in ious:
        best = int(row.argmax()) if row.size else -1
        if best >= 0 and row[best] >= GOOD_IOU and best not in taken:
            taken.add(best)
            good += 1
    return Counted(len(wanted), len(taken), len(found), good, seconds)


def overlaps(found: Sequence[Rle], wanted: Sequence[Rle]) -> NDArray[np.float64]:
    """IoU of each with each: (found, wanted)."""
    if not found or not wanted:
        return np.zeros((len(found), len(wanted)))
    encoded = [[_encoded(rle) for rle in rles] for rles in (found, wanted)]
    return np.asarray(coco_mask.iou(*encoded, [0] * len(wanted)))


def _encoded(rle: Rle) -> dict[str, Any]:
    return {"size": rle["size"], "counts": rle["counts"].encode()}


def tell(title: str, counted: Sequence[Counted]) -> None:
    """Mean recall over pictures, precision over all proposals, and time."""
    if not counted:
        return
    recall = np.mean([one.found / one.wanted for one in counted if one.wanted])
    proposed, good = (sum(getattr(one, name) for one in counted) for name in ("proposed", "good"))
    seconds = np.mean([one.seconds for one in counted])
    precision = good / proposed if proposed else 1.0
    print(
        f"{title}: {len(counted)} pictures, recall {recall:.2f}, precision {precision:.2f}, {seconds:.2f} s a picture",
        flush=True,
    )


def fit(engine: Engine, scenes: Iterable[Scene], rng: np.random.Generator) -> None:
    """Fit the score's weights to candidates of whom it is known what they are, and print them."""
    rows, labels = [], []
    for number, scene in enumerate(scenes):
        chosen = [int(index) for index in rng.permutation(len(scene.objects))[: 1 + 2 * (number % 2)]]
        kind = kind_of(engine, scene, chosen)
        judged = judged_candidates(engine, scene, kind)
        if not judged:
            continue
        ious = overlaps([one.found.rle for one in judged], scene.objects)
        known = ious[:, chosen].max(axis=1) >= 0.5  # would not be proposed
        rows += [one.evidence.numpy() for one, skip in zip(judged, known, strict=True) if not skip]
        labels += [bool(row.max() >= GOOD_IOU) for row, skip in zip(ious, known, strict=True) if not skip]
    weights, bias = logistic_regression(np.array(rows, np.float64), np.array(labels))
    print(f"{len(labels)} candidates, {np.mean(labels):.2f} good")
    print("BIAS =", round(bias, 2))
    print("WEIGHTS =", tuple(round(float(weight), 2) for weight in weights), "for", NAMES)


def judged_candidates(engine: Engine, scene: Scene, kind: Kind) -> list[SimilarObject]:
    """All candidates, also bad ones and doubles."""
    model, pixels = engine.model, scene.image.load()
    geometry, size = model.network.config.geometry, Size(*pixels.shape[:2])

    def open_window(window: Window) -> Seen:
        crop = window.crop(pixels)
        embedding = encode_image(model, crop)
        return Seen(window, crop, embedding, lambda prompts: predict_many(model, [(embedding, one) for one in prompts]))

    return judge_candidates(open_window, size, kind, geometry, ignore_progress)


def logistic_regression(rows: NDArray[np.float64], labels: NDArray[np.bool_]) -> tuple[NDArray[np.float64], float]:
    """Newton's method with a weak ridge."""
    design = np.column_stack([rows, np.ones(len(rows))])
    weights = np.zeros(design.shape[1])
    ridge = np.diag([1.0] * rows.shape[1] + [0.0])
    for _ in range(30):
        chances = 1 / (1 + np.exp(-design @ weights))
        slope = design.T @ (chances - labels) + ridge @ weights
        curve = (design * (chances * (1 - chances))[:, None]).T @ design + ridge
        weights -= np.linalg.solve(curve, slope)
    return weights[:-1], float(weights[-1])


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, or fit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fit", action="store_true")
    parser.add_argument("--drawn", type=int, default=30, metavar="N", help="drawn pictures")
    parser.add_argument("--photos", type=Path, metavar="FOLDER")
    parser.add_argument("--most", type=int, default=12, metavar="N", help="photos of a source")
    parser.add_argument("--later", type=int, default=0, metavar="N", help="further pictures of each of three projects")
    parser.add_argument("--model", default="nano")
    options = parser.parse_args(arguments)
    engine, rng = Engine(load_model(options.model)), np.random.default_rng(0)
    photos: Callable[[], Iterator[Scene]] = lambda: (  # noqa: E731
        photo_scenes(options.photos, held_out=not options.fit, most=options.most) if options.photos else iter(())
    )
    if options.fit:
        fit(engine, [*drawn_scenes(FITTED_SEED, options.drawn), *photos()], rng)
        return
    by_source: dict[str, list[Scene]] = defaultdict(list)
    for scene in (*drawn_scenes(MEASURED_SEED, options.drawn), *photos()):
        by_source[scene.source].append(scene)
    for source, scenes in by_source.items():
        for examples in (1, 3):
            tell(f"{source}, {examples} examples", measure_same(engine, scenes, examples, rng))
    for seed in range(3 if options.later else 0):
        scenes = list(drawn_scenes(1000 + seed, options.later + 1, same_looks=True))
        for examples in (1, 3):
            tell(f"later pictures {seed}, {examples} examples", measure_later(engine, scenes, rng, examples))


if __name__ == "__main__":
    main()
