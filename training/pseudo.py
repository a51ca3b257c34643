"""Pseudo-labels: regions of real photos by classical grouping, kept where they hold together over many scales.

Superpixels are merged greedily, cheapest pair first. A region that is formed at a low cost and absorbed only at a
high one is likely to be a thing; large ones are favoured, or only slivers would be left.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from training.material import Material, Rgb, draw_photo, read_rgb
from training.scene import LEVELS, SIDE, clean_labels
from training.surfaces import crop_of

KEPT_REGIONS = 14
AREA_SHARE = (0.008, 0.7)  # of the picture, for a region to be kept
_BINS = 8

Members = tuple[int, ...]  # superpixels of a region


def make_pseudo(material: Material, rng: np.random.Generator) -> tuple[Rgb, NDArray[np.uint8]]:
    """Crop a photo and label its most persistent regions on three levels.

    Returns:
        Pixels (SIDE, SIDE, 3) and labels (SIDE, SIDE, 3), uint8.
    """
    photo = crop_of(read_rgb(draw_photo(material, rng)), SIDE, SIDE, rng, zoom=(0.6, 1.0))
    superpixels = superpixels_of(photo)
    regions = _most_persistent(merge_tree(photo, superpixels), superpixels.size)
    return photo, clean_labels(label_regions(superpixels, regions), rng)


@dataclass
class Region:
    """A node of the merge tree.

    Args:
        members: Superpixels inside.
        area: In pixels.
        birth: Cost at which it was formed; 0 for a superpixel.
        death: Cost at which it was merged into something larger; infinite for what is left at the end.
    """

    members: Members
    area: int
    lab: NDArray[np.float64]  # (3,) mean
    histogram: NDArray[np.float64]  # (4 * _BINS,) lightness, a, b, gradient; each sums to 1
    birth: float = 0.0
    death: float = np.inf
    borders: dict[int, tuple[float, float]] = field(default_factory=dict)  # neighbour -> length, summed gradient


def superpixels_of(photo: Rgb) -> NDArray[np.int64]:
    """Small pieces of one colour: (H, W), numbers from 0."""
    from skimage.segmentation import felzenszwalb  # needed for training only, so imported where it is used

    smooth = cv2.bilateralFilter(cv2.medianBlur(photo, 5), 7, 30, 5)
    return np.asarray(felzenszwalb(smooth, scale=60, sigma=0.5, min_size=60), np.int64)


def merge_tree(photo: Rgb, superpixels: NDArray[np.int64]) -> list[Region]:
    """Merge superpixels, cheapest pair first, until one region is left.

    Args:
        photo: (H, W, 3) RGB.
        superpixels: (H, W), numbers 0 to n - 1.

    Returns:
        All regions that ever existed, superpixels first.
    """
    regions = _leaves(photo, superpixels)
    picture_area = superpixels.size
    queue = [
        (_cost(regions[a], regions[b], picture_area, border), a, b)
        for a in range(len(regions))
        for b, border in regions[a].borders.items()
        if a < b
    ]
    heapq.heapify(queue)
    while queue:
        cost, a, b = heapq.heappop(queue)
        if np.isfinite(regions[a].death) or np.isfinite(regions[b].death):
            continue  # one of the pair is already part of something larger
        merged = len(regions)
        regions.append(_merge(regions, a, b, cost))
        for neighbour, border in regions[merged].borders.items():
            regions[neighbour].borders[merged] = border
            heapq.heappush(queue, (_cost(regions[merged], regions[neighbour], picture_area, border), neighbour, merged))
    return regions


def _leaves(photo: Rgb, superpixels: NDArray[np.int64]) -> list[Region]:
    count = int(superpixels.max()) + 1
    lab = cv2.cvtColor(photo, cv2.COLOR_RGB2LAB).astype(np.float64)
    gradient = _gradient(lab)
    flat = superpixels.ravel()
    areas = np.bincount(flat, minlength=count)
    channels = [*np.moveaxis(lab, 2, 0), np.clip(gradient * 4, 0, 255)]
    means = np.stack([np.bincount(flat, channel.ravel(), count) / areas for channel in channels[:3]], axis=1)
    histograms = [_histogram(flat, channel.ravel(), count) / areas[:, None] for channel in channels]
    joined = np.concatenate(histograms, axis=1)
    regions = [Region((index,), int(areas[index]), means[index], joined[index]) for index in range(count)]
    for a, b, length, strength in _borders(superpixels, gradient):
        regions[a].borders[b] = regions[b].borders[a] = (length, strength)
    return regions


def _gradient(lab: NDArray[np.float64]) -> NDArray[np.float64]:
    """Strength of the strongest channel's Sobel gradient, (H, W), in Lab units per pixel."""
    smooth = cv2.GaussianBlur(lab, (0, 0), 1.0)
    strengths = [np.hypot(cv2.Sobel(c, cv2.CV_64F, 1, 0), cv2.Sobel(c, cv2.CV_64F, 0, 1)) for c in cv2.split(smooth)]
    return np.asarray(np.max(strengths, axis=0) / 8)


def _histogram(flat: NDArray[np.int64], values: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    bins = np.minimum(values.astype(np.int64) * _BINS // 256, _BINS - 1)
    return np.bincount(flat * _BINS + bins, minlength=count * _BINS).reshape(count, _BINS).astype(np.float64)


def _borders(superpixels: NDArray[np.int64], gradient: NDArray[np.float64]) -> Iterator[tuple[int, int, float, float]]:
    """Neighbouring pairs with the length of their border [px] and the gradient summed along it."""
    first, second, strength = [], [], []
    for near, far in (
        ((slice(None), slice(None, -1)), (slice(None), slice(1, None))),
        ((slice(None, -1), slice(None)), (slice(1, None), slice(None))),
    ):
        differ = superpixels[near] != superpixels[far]
        first.append(superpixels[near][differ])
        second.append(superpixels[far][differ])
        strength.append(np.maximum(gradient[near][differ], gradient[far][differ]))
    a, b = np.concatenate(first), np.concatenate(second)
    pairs, inverse = np.unique(np.stack([np.minimum(a, b), np.maximum(a, b)]), axis=1, return_inverse=True)
    lengths = np.bincount(inverse.ravel())
    sums = np.bincount(inverse.ravel(), np.concatenate(strength))
    yield from zip(pairs[0].tolist(), pairs[1].tolist(), lengths.tolist(), sums.tolist(), strict=True)


def _cost(a: Region, b: Region, picture_area: int, border: tuple[float, float]) -> float:
    """How unlike two neighbours are; small regions are cheap to absorb."""
    difference, total = a.histogram - b.histogram, a.histogram + b.histogram
    chi2 = float((difference**2 / np.maximum(total, 1e-9)).sum()) / 8  # four histograms, each at most 2
    colour = float(np.linalg.norm(a.lab - b.lab))
    edge = border[1] / border[0]
    size = 0.05 + min(1.3, float(np.sqrt(min(a.area, b.area) / (0.03 * picture_area))))
    return (40 * chi2 + 0.35 * colour + 1.6 * edge) * size


def _merge(regions: list[Region], a: int, b: int, cost: float) -> Region:
    """Join two regions; the parts die at this cost, made to grow with the tree."""
    first, second = regions[a], regions[b]
    area = first.area + second.area
    cost = max(cost, first.birth, second.birth)
    first.death = second.death = cost
    share = first.area / area
    borders: dict[int, tuple[float, float]] = {}
    for part in (first, second):
        for neighbour, (length, strength) in part.borders.items():
            if neighbour not in (a, b) and not np.isfinite(regions[neighbour].death):
                old = borders.get(neighbour, (0.0, 0.0))
                borders[neighbour] = (old[0] + length, old[1] + strength)
    return Region(
        members=first.members + second.members,
        area=area,
        lab=share * first.lab + (1 - share) * second.lab,
        histogram=share * first.histogram + (1 - share) * second.histogram,
        birth=cost,
        borders=borders,
    )


def _most_persistent(tree: list[Region], picture_area: int) -> list[Members]:
    low, high = (share * picture_area for share in AREA_SHARE)
    candidates = [r for r in tree if low <= r.area <= high and np.isfinite(r.death)]
    candidates.sort(key=lambda r: (r.death - r.birth) * (r.area / picture_area) ** 0.3, reverse=True)
    return [region.members for region in candidates[:KEPT_REGIONS]]


def label_regions(superpixels: NDArray[np.int64], regions: Sequence[Members]) -> NDArray[np.uint8]:
    """Put regions, best first, on the first level where they overlap no better one; (H, W, LEVELS)."""
    taken = np.zeros((int(superpixels.max()) + 1, LEVELS), np.uint8)
    for number, region in enumerate(regions, start=1):
        members = list(region)
        free = np.flatnonzero(~taken[members].any(axis=0))
        if len(free):
            taken[members, free[0]] = number
    return taken[superpixels]
