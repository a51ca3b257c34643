"""Classical grouping finds things that are there to be found."""

from __future__ import annotations

import numpy as np

from training.pseudo import merge_tree
from training.scene import GROUP, PART, WHOLE, Patch, Scene, clean_labels
from training.surfaces import crop_of


def _photo() -> tuple[np.ndarray, np.ndarray]:  # type: ignore[type-arg]
    """A red square on green, cut into superpixels of 8x8."""
    photo = np.zeros((64, 64, 3), np.uint8)
    photo[:] = (30, 120, 40)
    photo[16:48, 16:48] = (200, 30, 30)
    photo += np.random.default_rng(0).integers(0, 12, photo.shape, dtype=np.uint8)
    rows, columns = np.mgrid[:64, :64] // 8
    return photo, rows * 8 + columns


def test_the_square_holds_together_longest() -> None:
    photo, superpixels = _photo()
    regions = merge_tree(photo, superpixels)
    inner = [r for r in regions if np.isfinite(r.death) and r.area > 64]
    best = max(inner, key=lambda region: region.death - region.birth)
    found = np.isin(superpixels, best.members)
    square = np.zeros((64, 64), np.bool_)
    square[16:48, 16:48] = True
    assert np.array_equal(found, square) or np.array_equal(found, ~square)


def test_all_superpixels_end_in_one_region() -> None:
    regions = merge_tree(*_photo())
    assert len(regions) == 2 * 64 - 1
    assert sorted(regions[-1].members) == list(range(64))
    assert all(parent >= child for parent, child in zip([regions[-1].birth], [regions[0].death], strict=True))


def test_painting_covers_and_groups() -> None:
    scene = Scene(np.zeros((288, 288, 3), np.uint8), empty=False)
    square = Patch(np.full((40, 40, 3), 200, np.uint8), np.ones((40, 40), np.float32))
    below = scene.paint(square, 100, 100, group=9)
    above = scene.paint(square, 120, 100)
    assert int((scene.labels[..., WHOLE] == below).sum()) == 20 * 40
    assert int((scene.labels[..., WHOLE] == above).sum()) == 40 * 40
    assert int((scene.labels[..., GROUP] == 9).sum()) == 20 * 40
    assert not scene.labels[..., PART].any()
    assert scene.pixels[110, 110].tolist() == [200, 200, 200]


def test_painting_outside_the_picture_is_cut_off() -> None:
    scene = Scene(np.zeros((288, 288, 3), np.uint8), empty=False)
    square = Patch(np.full((40, 40, 3), 200, np.uint8), np.ones((40, 40), np.float32))
    assert int((scene.labels[..., WHOLE] == scene.paint(square, -30, 270)).sum()) == 10 * 18
    scene.paint(square, 400, 0)


def test_slivers_are_dropped() -> None:
    labels = np.zeros((288, 288, 3), np.uint8)
    labels[:5, :5, WHOLE], labels[50:90, 50:90, WHOLE] = 1, 2
    cleaned = clean_labels(labels, np.random.default_rng(0))
    assert np.unique(cleaned).tolist() == [0, 2]


def test_crops_have_the_shape_asked_for() -> None:
    picture = np.zeros((50, 70, 3), np.uint8)
    assert crop_of(picture, 33, 91, np.random.default_rng(0), zoom=(0.2, 1.0)).shape == (33, 91, 3)
