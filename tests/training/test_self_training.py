"""What nano sees in a photo becomes what the next nano is asked for, if the photo has edges there."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from clickmask.decoder.checkpoints import load_model
from clickmask.decoder.shapes import mask_iou
from training import self_training
from training.material import Material
from training.scene import SIDE


@pytest.fixture
def disc(monkeypatch: pytest.MonkeyPatch) -> NDArray[np.bool_]:
    """A photo of a red disc on noisy green is all there is; its mask, (SIDE, SIDE)."""
    rows, columns = np.mgrid[:SIDE, :SIDE]
    inside = (rows - 150) ** 2 + (columns - 140) ** 2 < 60**2
    photo = np.where(inside[..., None], (200, 40, 30), (40, 120, 60)).astype(np.uint8)
    photo += np.random.default_rng(0).integers(0, 12, photo.shape, dtype=np.uint8)
    monkeypatch.setattr(self_training, "draw_photo", lambda material, rng: None)
    monkeypatch.setattr(self_training, "read_rgb", lambda path: photo)
    monkeypatch.setattr(self_training, "crop_of", lambda photo, *size, **how: photo)
    return np.asarray(inside)


def test_a_disc_is_labelled_to_its_edge(disc: NDArray[np.bool_]) -> None:
    photo, labels = self_training.label_by_teacher(load_model(), Material({}, (), {}), np.random.default_rng(0))
    assert photo.shape == labels.shape == (SIDE, SIDE, 3)
    found = [labels[..., level] == label for level in range(3) for label in np.unique(labels[..., level]) if label]
    assert max(mask_iou(mask, disc) for mask in found) > 0.95
