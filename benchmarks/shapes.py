"""Shapes against their peers, side by side in one run: ``python -m benchmarks.shapes``.

Prints Markdown. Each pair of programs takes turns on the same mask and the best of their
times counts, so that a busy machine slows both; ratios are ours over theirs.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
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

from benchmarks.timing import race
from decoder.prompts import Size
from decoder.shapes import (
    brush_to_mask,
    mask_iou,
    mask_to_brush,
    mask_to_polygons,
    mask_to_rle,
    mask_to_sdk_brush,
    polygons_to_mask,
    rle_to_mask,
)
from tests.decoder.shapes.suite import make, suite

BoolMask = NDArray[np.bool_]
Outliner = Callable[[BoolMask], list[list[float]]]


def opencv_polygons(mask: BoolMask) -> list[list[float]]:
    """What most exporters do: outer contours through pixel centres."""
    contours, _ = cv2.findContours(mask.view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    return [contour.reshape(-1).astype(float).tolist() for contour in contours if len(contour) >= 3]


def supervision_polygons(mask: BoolMask) -> list[list[float]]:
    """supervision's ``mask_to_polygons``."""
    return [polygon.reshape(-1).astype(float).tolist() for polygon in supervision.mask_to_polygons(mask)]


def skimage_polygons(mask: BoolMask) -> list[list[float]]:
    """scikit-image's ``find_contours`` at one half, padded so that it closes at the border."""
    contours = measure.find_contours(np.pad(mask, 1).astype(np.float32), 0.5)
    return [(contour[:, ::-1] - 0.5).reshape(-1).tolist() for contour in contours if len(contour) >= 4]


def rasterio_polygons(mask: BoolMask) -> list[list[float]]:
    """rasterio's ``shapes``: pixel edges, outer rings."""
    found = rasterio.features.shapes(mask.astype(np.uint8), mask=mask)
    return [[number for point in shape["coordinates"][0][:-1] for number in point] for shape, _ in found]


def our_polygons(mask: BoolMask) -> list[list[float]]:
    """Ours, pixel edges with keyholes."""
    return mask_to_polygons(mask).to_coco()


OBJECTS = ("star 256", "disc 100 256", "object 256", "disc 400 1024", *(f"object {seed} 1024" for seed in range(3)),
           *(f"object grainy {seed} 1024" for seed in range(3)))  # fmt: skip

OUTLINERS: dict[str, Outliner] = {
    "ClickMask": our_polygons,
    "cv2.findContours": opencv_polygons,
    "supervision": supervision_polygons,
    "scikit-image": skimage_polygons,
    "rasterio": rasterio_polygons,
}


def best_ms(rounds: int, *programs: Callable[[], object]) -> list[float]:
    """Best wall time of each program [ms], taking turns."""
    timings = race({str(at): program for at, program in enumerate(programs)}, rounds, warmup=1)
    return [timings[str(at)].percentile_ms(0.0) for at in range(len(programs))]


def print_table(title: str, head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print one Markdown table."""
    print(f"\n**{title}**\n\n| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for row in rows:
        cells = [f"{cell:.3g}" if isinstance(cell, float) else str(cell) for cell in row]
        print(f"| {' | '.join(cells)} |", flush=True)


def decoded(polygons: list[list[float]], shape: tuple[int, ...]) -> BoolMask:
    """Fill polygons as COCO does."""
    usable = [polygon for polygon in polygons if len(polygon) >= 6]
    return polygons_to_mask(usable, Size(shape[0], shape[1]))


def round_trips() -> None:
    """How many of the suite's masks survive, and how well on average."""
    exact = dict.fromkeys(OUTLINERS, 0)
    ious: dict[str, list[float]] = {name: [] for name in OUTLINERS}
    for _, mask in suite():
        for name, outline in OUTLINERS.items():
            back = decoded(outline(mask), mask.shape)
            exact[name] += int((back == mask).all())
            ious[name].append(mask_iou(back, mask))
    rows = [
        [name, f"{exact[name]} of {len(ious[name])}", f"{np.mean(ious[name]):.4f}", min(ious[name])]
        for name in OUTLINERS
    ]
    print_table("Mask to COCO polygons and back", ["", "exact", "mean IoU", "worst IoU"], rows)


def outline_times(rounds: int) -> None:
    """Exact outlines of objects; the arrays, before any list is made."""
    rows = []
    for name in ("object 1 1024", "object grainy 1 1024", "object with holes 0 1024", "object 3000x4000"):
        mask = make(name)
        pixels = mask.view(np.uint8)
        ours, *theirs = best_ms(
            rounds,
            partial(mask_to_polygons, mask),
            partial(cv2.findContours, pixels, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE),
            partial(supervision.mask_to_polygons, mask),
            partial(measure.find_contours, mask, 0.5),
            partial(rasterio_polygons, mask),
        )
        rows.append([name, ours, *(f"{peer:.3g} ({ours / peer:.2g}x)" for peer in theirs)])
    print_table("Outline, ms (ours over theirs)", ["mask", *OUTLINERS], rows)


def fewest_points() -> None:
    """Exact outlines with few points against OpenCV's lossy ones."""
    rows: list[list[object]] = []
    ratios = []
    for name in (*OBJECTS, "rotated rectangle 256", "object 2048"):
        mask = make(name)
        theirs = sum(len(polygon) // 2 for polygon in opencv_polygons(mask))
        ours = mask_to_polygons(mask, style="fewest")
        exact = "yes" if (decoded(ours.to_coco(), mask.shape) == mask).all() else "no"
        (took_ms,) = best_ms(1, partial(mask_to_polygons, mask, style="fewest"))
        ratios.append(ours.num_points / theirs)
        rows.append([name, ours.num_points, theirs, ratios[-1], exact, took_ms])
    rows.append(["median", "", "", float(np.median(ratios)), "", ""])
    print_table("Fewest exact points", ["mask", "ClickMask", "cv2 CHAIN_APPROX_SIMPLE", "ratio", "exact", "ms"], rows)


def douglas_peucker(mask: BoolMask, min_iou: float) -> int:
    """Fewest points at which simplified pixel edges reach an IoU."""
    ring = np.round(np.array(our_polygons(mask)[0])).astype(np.int32).reshape(-1, 1, 2)
    counts = []
    for tolerance in np.geomspace(0.3, 40, 80):
        corners = cv2.approxPolyDP(ring, tolerance, True).reshape(-1).astype(float).tolist()
        if len(corners) >= 6 and mask_iou(decoded([corners], mask.shape), mask) >= min_iou:
            counts.append(len(corners) // 2)
    return min(counts)


def simplification(rounds: int) -> None:
    """Points at a promised IoU."""
    masks = [make(name) for name in OBJECTS]
    rows: list[list[object]] = []
    for min_iou in (0.98, 0.99, 0.995):
        ratios, times, held = [], [], 0
        for mask in masks:
            polygons = mask_to_polygons(mask, min_iou=min_iou)
            ratios.append(polygons.num_points / douglas_peucker(mask, min_iou))
            held += mask_iou(decoded(polygons.to_coco(), mask.shape), mask) >= min_iou
            times += best_ms(rounds, partial(mask_to_polygons, mask, min_iou=min_iou))
        row = [f"IoU >= {min_iou}", float(np.median(ratios)), max(ratios), float(np.median(times)), max(times)]
        rows.append([*row, f"{held} of {len(masks)}"])
    head = ["promise", "median points over Douglas-Peucker", "worst", "median ms", "worst ms", "promise held"]
    print_table("Points at a promised IoU", head, rows)


def brushes(rounds: int) -> None:
    """Label Studio's brush."""
    rows = []
    for name in ("object 1 1024", "object grainy 1 1024", "object 3000x4000"):
        mask = make(name)
        opaque = (mask * 255).astype(np.uint8)
        small, same, size = mask_to_brush(mask), mask_to_sdk_brush(mask), Size(*mask.shape)
        if same != sdk.mask2rle(opaque):
            raise SystemExit(f"{name}: the bytes differ from the SDK's")
        few = max(2, rounds // 5)
        encode, encode_sdk = best_ms(few, partial(mask_to_brush, mask), partial(sdk.mask2rle, opaque))
        decode, decode_sdk = best_ms(few, partial(brush_to_mask, same, size), partial(sdk.decode_rle, same))
        share = f"{len(small) / len(same):.2f}"
        rows.append([name, encode, encode_sdk, encode_sdk / encode, decode, decode_sdk, decode_sdk / decode, share])
    head = ["mask", "encode ms", "SDK", "times faster", "decode ms", "SDK", "times faster", "size over SDK"]
    print_table("Label Studio brush", head, rows)


def run_lengths(rounds: int) -> None:
    """COCO run lengths from and to row-ordered masks."""
    rows = []
    for name in ("object 1 1024", "object grainy 1 1024", "object 3000x4000", "blobs 30 3000x4000"):
        mask = make(name)
        rle, theirs = mask_to_rle(mask), coco_encode(mask)
        if rle["counts"].encode() != theirs["counts"]:
            raise SystemExit(f"{name}: the text differs from pycocotools'")
        encode, encode_coco = best_ms(rounds, partial(mask_to_rle, mask), partial(coco_encode, mask))
        decode, decode_coco = best_ms(rounds, partial(rle_to_mask, rle), partial(coco_decode, theirs))
        rows.append([name, encode, encode_coco, encode_coco / encode, decode, decode_coco, decode_coco / decode])
    head = ["mask", "encode ms", "pycocotools", "times faster", "decode ms", "pycocotools", "times faster"]
    print_table("COCO run lengths, row-ordered masks", head, rows)


def coco_encode(mask: BoolMask) -> Any:
    """pycocotools' run lengths of a row-ordered mask."""
    return coco_mask.encode(np.asfortranarray(mask.view(np.uint8)))


def coco_decode(rle: Any) -> NDArray[np.uint8]:
    """pycocotools' mask in row order."""
    return np.ascontiguousarray(coco_mask.decode(rle))


def main() -> None:
    """Run all tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="turns per timing; the best counts")
    rounds = parser.parse_args().rounds
    cv2.setNumThreads(1)
    run_lengths(rounds)
    brushes(rounds)
    outline_times(rounds)
    fewest_points()
    simplification(max(2, rounds // 5))
    round_trips()


if __name__ == "__main__":
    main()
