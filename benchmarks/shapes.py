"""Shapes against their goals and peers, side by side in one run: ``python -m benchmarks.shapes``.

Prints one Markdown table. Programs take turns of some calls on the same mask and the best of each one's
processor times counts, so that a busy machine matters little; a ratio is ours over theirs.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import cv2
import numpy as np
import rasterio.features
import supervision
from label_studio_sdk.converter import brush as sdk
from numpy.typing import NDArray
from pycocotools import mask as coco_mask
from skimage import measure

from clickmask.decoder.prompts import Size
from clickmask.decoder.shapes import (
    brush_to_mask,
    mask_to_brush,
    mask_to_polygons,
    mask_to_rle,
    mask_to_sdk_brush,
    polygons_to_mask,
    rle_to_mask,
)
from clickmask.decoder.shapes.filling import fill_rings, rle_iou
from clickmask.decoder.shapes.masks import mask_size
from clickmask.decoder.shapes.rings import find_rings
from tests.decoder.shapes.suite import make, suite

BoolMask = NDArray[np.bool_]
Outliner = Callable[[BoolMask], list[list[float]]]

SMALL = ("object 1 1024", "object grainy 1 1024")
LARGE = "object 3000x4000"
OBJECTS = (
    *("star 256", "disc 100 256", "object 256", "rotated rectangle 256", "disc 400 1024", "object 2048"),
    *(f"object {seed} 1024" for seed in range(3)),
    *(f"object grainy {seed} 1024" for seed in range(3)),
)
SIMPLIFIED = tuple(name for name in OBJECTS if name.startswith("object") and name.endswith("1024"))
FAST, BEST = (0.75, 10), (0.66, 100)  # points over Douglas-Peucker, and milliseconds for it

CALLS_A_TURN = 4  # the best of them finds the mask in the processor's cache, as after the model made it


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; without a verdict it is there to compare."""

    what: str
    goal: str
    ours: str
    peers: str
    reached: bool | None


def opencv_polygons(mask: BoolMask) -> list[list[float]]:
    """What most exporters do: outer contours through pixel centres."""
    contours, _ = cv2.findContours(mask.view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    return [contour.reshape(-1).astype(float).tolist() for contour in contours]


def supervision_polygons(mask: BoolMask) -> list[list[float]]:
    """supervision's ``mask_to_polygons``."""
    return [polygon.reshape(-1).astype(float).tolist() for polygon in supervision.mask_to_polygons(mask)]


def skimage_polygons(mask: BoolMask) -> list[list[float]]:
    """scikit-image's ``find_contours`` at one half, padded so that it closes at the border."""
    contours = measure.find_contours(np.pad(mask, 1).astype(np.float32), 0.5)
    return [(contour[:, ::-1] - 0.5).reshape(-1).tolist() for contour in contours]


def rasterio_polygons(mask: BoolMask) -> list[list[float]]:
    """rasterio's ``shapes``: pixel edges, outer rings."""
    found = rasterio.features.shapes(mask.astype(np.uint8), mask=mask)
    return [[number for point in shape["coordinates"][0][:-1] for number in point] for shape, _ in found]


def our_polygons(mask: BoolMask) -> list[list[float]]:
    """Ours, pixel edges with keyholes."""
    return mask_to_polygons(mask).to_coco()


OUTLINERS: dict[str, Outliner] = {
    "ClickMask": our_polygons,
    "cv2": opencv_polygons,
    "supervision": supervision_polygons,
    "scikit-image": skimage_polygons,
    "rasterio": rasterio_polygons,
}


def best_ms(rounds: int, *programs: Callable[[], object]) -> list[float]:
    """Best processor time of each program [ms], taking turns; all of them run on one thread."""
    best = [math.inf] * len(programs)
    for _ in range(rounds):
        for at, program in enumerate(programs):
            for _ in range(CALLS_A_TURN):
                start = time.thread_time()
                program()
                best[at] = min(best[at], 1000 * (time.thread_time() - start))
    return best


def survives(polygons: Sequence[Sequence[float]], mask: BoolMask) -> bool:
    """Whether polygons decode to the mask; what COCO cannot hold (fewer than 3 points) is left out."""
    usable = [polygon for polygon in polygons if len(polygon) >= 6]
    return bool((polygons_to_mask(usable, Size(*mask.shape)) == mask).all())


def round_trips() -> Iterator[Row]:
    """How many masks come back from COCO polygons bit for bit."""
    exact = dict.fromkeys(OUTLINERS, 0)
    count = 0
    for _, mask in suite():
        count += 1
        for name, outline in OUTLINERS.items():
            exact[name] += survives(outline(mask), mask)
    peers = [f"{name} {number}" for name, number in exact.items() if name != "ClickMask"]
    yield Row(
        f"exact round trip, {count} awkward masks, 256 to 4000x3000",
        f"all {count}",
        str(exact["ClickMask"]),
        ", ".join(peers),
        exact["ClickMask"] == count,
    )
    for what, masks in (("all masks of 4x4 pixels", small_masks()), ("random masks to 16x16", random_masks())):
        wrong, count = 0, 0
        for mask in masks:
            count += 1
            wrong += not survives(our_polygons(mask), mask)
        yield Row(f"exact round trip, {what}", f"all {count:,}", f"{count - wrong:,}", "", wrong == 0)


def small_masks() -> Iterator[BoolMask]:
    """Every mask of 4x4 pixels."""
    for number in range(65_536):
        yield (number >> np.arange(16) & 1).astype(np.bool_).reshape(4, 4)


def random_masks() -> Iterator[BoolMask]:
    """Ten thousand of any size up to 16x16 and any density."""
    random = np.random.default_rng(11)
    for _ in range(10_000):
        height, width = random.integers(1, 17, 2)
        yield random.random((height, width)) < random.random()


def outline_times(rounds: int) -> Iterator[Row]:
    """Exact outlines of objects; the arrays, before any list is made."""
    for name in (*SMALL, LARGE):
        mask = make(name)
        pixels = mask.view(np.uint8)
        ours, opencv, *others = best_ms(
            rounds if name != LARGE else max(3, rounds // 3),
            partial(mask_to_polygons, mask),
            partial(cv2.findContours, pixels, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE),
            partial(supervision.mask_to_polygons, mask),
            partial(measure.find_contours, mask, 0.5),
            partial(rasterio_polygons, mask),
        )
        peers = zip(("cv2.findContours", "supervision", "scikit-image", "rasterio"), (opencv, *others), strict=True)
        large = name == LARGE
        yield Row(
            f"exact polygon, {name}",
            "<= 2x cv2, 50x faster than rasterio" if large else "<= 0.3 ms",
            f"{ours:.2f} ms",
            ", ".join(f"{peer} {took:.2f} ms ({ours / took:.2g}x)" for peer, took in peers),
            ours <= 2 * opencv and 50 * ours <= others[-1] if large else ours <= 0.3,
        )


def fewest_points() -> Iterator[Row]:
    """Exact outlines with few points against OpenCV's lossy ones."""
    ratios, exact = [], 0
    for name in OBJECTS:
        mask = make(name)
        theirs = sum(len(polygon) // 2 for polygon in opencv_polygons(mask))
        ours = mask_to_polygons(mask, style="fewest")
        exact += survives(ours.to_coco(), mask)
        ratios.append(ours.num_points / theirs)
    yield Row(
        f"points of the exact outline with the fewest, {len(OBJECTS)} objects",
        "median <= 0.30x cv2 CHAIN_APPROX_SIMPLE",
        f"{min(ratios):.2f}x to {max(ratios):.3f}x, median {np.median(ratios):.2f}x; {exact} exact",
        "cv2: none exact",
        bool(np.median(ratios) <= 0.30) and exact == len(OBJECTS),
    )


def douglas_peucker(mask: BoolMask, min_iou: float) -> int:
    """Fewest points at which the simplified pixel edges of a mask without holes reach an IoU."""
    ring, rle = find_rings(mask.view(np.uint8)).ring(0), mask_to_rle(mask)
    counts = [len(ring)]
    for tolerance in np.geomspace(0.3, 40, 80):
        corners = cv2.approxPolyDP(ring, tolerance, True).reshape(-1, 2).astype(np.float64)
        if len(corners) >= 3 and rle_iou(fill_rings([corners], mask_size(mask)), rle) >= min_iou:
            counts.append(len(corners))
    return min(counts)


def simplification(rounds: int) -> Iterator[Row]:
    """Points at a promised IoU, and the time they take."""
    masks = [make(name) for name in SIMPLIFIED]
    for min_iou in (0.98, 0.99, 0.995):
        ratios, times, held = [], [], 0
        for mask in masks:
            polygons = mask_to_polygons(mask, min_iou=min_iou)
            ratios.append(polygons.num_points / douglas_peucker(mask, min_iou))
            held += rle_iou(fill_rings(polygons.rings, polygons.size), mask_to_rle(mask)) >= min_iou
            times += best_ms(rounds, partial(mask_to_polygons, mask, min_iou=min_iou))
        ratio, took_ms = float(np.median(ratios)), float(np.median(times))
        for most, limit_ms in (FAST, BEST):
            yield Row(
                f"points at IoU >= {min_iou}, median of {len(masks)} objects of 1024",
                f"<= {most}x Douglas-Peucker in {limit_ms} ms",
                f"{ratio:.2f}x in {took_ms:.1f} ms (slowest {max(times):.0f}); promise held {held} of {len(masks)}",
                "",
                ratio <= most and took_ms <= limit_ms and held == len(masks),
            )


def brushes(rounds: int) -> Iterator[Row]:
    """Label Studio's brush."""
    for name in (*SMALL, LARGE):
        mask = make(name)
        opaque = (mask * 255).astype(np.uint8)
        same, size, limit_ms = mask_to_sdk_brush(mask), Size(*mask.shape), 3.0 if name == LARGE else 0.3
        if same != sdk.mask2rle(opaque):
            raise SystemExit(f"{name}: the bytes differ from the SDK's")
        encode, encode_sdk = best_ms(rounds, partial(mask_to_brush, mask), partial(sdk.mask2rle, opaque))
        decode, decode_sdk = best_ms(rounds, partial(brush_to_mask, same, size), partial(sdk.decode_rle, same))
        yield Row(
            f"Label Studio brush, encode {name}",
            f"<= {limit_ms:g} ms",
            f"{encode:.2f} ms",
            f"SDK {encode_sdk:.1f} ms ({encode_sdk / encode:.0f} times slower)",
            encode <= limit_ms,
        )
        yield Row(
            f"Label Studio brush, decode {name}",
            "20 times faster than the SDK",
            f"{decode:.2f} ms",
            f"SDK {decode_sdk:.1f} ms ({decode_sdk / decode:.0f} times slower)",
            decode_sdk >= 20 * decode,
        )
    shares = [len(mask_to_brush(mask)) / len(mask_to_sdk_brush(mask)) for _, mask in suite() if mask.any()]
    yield Row(
        f"Label Studio brush, size, median of {len(shares)} masks",
        "<= 0.90x the SDK's",
        f"{np.median(shares):.2f}x",
        "SDK; its bytes too, as an option",
        bool(np.median(shares) <= 0.9),
    )


def run_lengths(rounds: int) -> Iterator[Row]:
    """COCO run lengths from and to row-ordered masks."""
    for name in (*SMALL, LARGE):
        mask = make(name)
        rle, theirs, limit_ms = mask_to_rle(mask), coco_encode(mask), 8.0 if name == LARGE else 0.5
        if rle["counts"].encode() != theirs["counts"]:
            raise SystemExit(f"{name}: the text differs from pycocotools'")
        encode, encode_coco = best_ms(rounds, partial(mask_to_rle, mask), partial(coco_encode, mask))
        decode, decode_coco = best_ms(rounds, partial(rle_to_mask, rle), partial(coco_decode, theirs))
        for step, took, peer, goal in (("encode", encode, encode_coco, limit_ms), ("decode", decode, decode_coco, 0)):
            yield Row(
                f"COCO RLE of a row-ordered mask, {step} {name}",
                f"<= {goal:g} ms" if goal else "",
                f"{took:.2f} ms",
                f"pycocotools {peer:.1f} ms ({peer / took:.1f} times slower)",
                took <= goal if goal else None,
            )


def coco_encode(mask: BoolMask) -> Any:
    """pycocotools' run lengths of a row-ordered mask."""
    return coco_mask.encode(np.asfortranarray(mask.view(np.uint8)))


def coco_decode(rle: Any) -> NDArray[np.uint8]:
    """pycocotools' mask in row order."""
    return np.ascontiguousarray(coco_mask.decode(rle))


def main() -> None:
    """Print the table, line by line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=30, help="turns per timing; the best counts")
    rounds = parser.parse_args().rounds
    cv2.setNumThreads(1)
    print("| what | goal | ClickMask | peers, same run | reached |\n|---|---|---|---|---|")
    few = max(3, rounds // 4)
    for rows in (
        outline_times(rounds),
        brushes(few),
        run_lengths(few),
        fewest_points(),
        simplification(few),
        round_trips(),
    ):
        for row in rows:
            verdict = {True: "yes", False: "NO", None: ""}[row.reached]
            print(f"| {row.what} | {row.goal} | {row.ours} | {row.peers} | {verdict} |", flush=True)


if __name__ == "__main__":
    main()
