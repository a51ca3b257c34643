"""Outlined photos: what is held out, what becomes of them, and that nothing held out is trained on."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.outlined_objects import write_outlined
from clickmask.decoder.errors import DatasetError
from clickmask.decoder.evaluation.clicks import read_segments
from training.outlined import build_outlined, is_held_out, read_labels, read_outlined, views_of
from training.pool import open_shard
from training.scene import LEVELS, PART, SIDE, WHOLE


@pytest.fixture(scope="module")
def outlined(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty photos of two sources with two objects each; those of "wall" have parts too."""
    folder = tmp_path_factory.mktemp("outlined")
    rng = np.random.default_rng(0)
    entries = []
    for kind in ("images", "masks"):
        (folder / kind).mkdir()
    for number in range(60):
        source = ("pets_a", "wall")[number % 2]
        name = f"{source}_{number:04d}"
        photo = cv2.resize(rng.integers(0, 256, (4, 6, 3), dtype=np.uint8), (120, 80))
        ids = np.zeros((80, 120), np.uint16)
        ids[10:40, 10:50], ids[50:75, 60:110] = 1, 300
        cv2.imwrite(str(folder / f"images/{name}.jpg"), photo)
        cv2.imwrite(str(folder / f"masks/{name}.png"), ids)
        entries.append({"file": f"images/{name}.jpg", "mask": f"masks/{name}.png"})
        if source == "wall":
            cv2.imwrite(str(folder / f"masks/{name}_parts.png"), np.where(ids == 1, 7, 0).astype(np.uint8))
            entries.append({"file": f"images/{name}.jpg", "mask": f"masks/{name}_parts.png"})
    (folder / "masks.json").write_text(json.dumps(entries))
    return folder


def test_every_photo_is_trained_on_or_held_out(outlined: Path) -> None:
    trained, held = read_outlined(outlined), read_outlined(outlined, held_out=True)
    names = [photo.image.name for photo in trained + held]
    assert len(names) == len(set(names)) == 60
    assert 0 < len(held) < 15


def test_what_is_held_out_depends_on_source_and_bytes_alone(outlined: Path, tmp_path: Path) -> None:
    photo = read_outlined(outlined, held_out=True)[0]
    renamed = tmp_path / "renamed.jpg"
    renamed.write_bytes(photo.image.read_bytes())
    assert is_held_out(photo.source, renamed)
    assert not is_held_out("pumavos", renamed)  # frames of a video, whose neighbours are trained on
    answers = {is_held_out(f"source{number}", renamed) for number in range(40)}
    assert answers == {True, False}


def test_sources_can_be_left_out(outlined: Path) -> None:
    assert {photo.source for photo in read_outlined(outlined, without=["pets"])} == {"wall"}
    with pytest.raises(DatasetError, match="names no photo"):
        read_outlined(outlined, without=["pets", "wall"])


def test_wholes_and_parts_lie_on_their_levels(outlined: Path) -> None:
    photo = next(photo for photo in read_outlined(outlined) if photo.parts is not None)
    labels = read_labels(photo, np.random.default_rng(0))
    assert labels.shape == (80, 120, LEVELS)
    assert len(np.unique(labels[..., WHOLE])) == 3
    assert labels[20, 20, PART] > 0
    assert labels[60, 80, PART] == 0


def test_many_objects_are_shown_in_crops_with_an_object_each(outlined: Path, tmp_path: Path) -> None:
    photo = read_outlined(outlined)[0]
    ids = np.kron(np.arange(1, 13, dtype=np.uint16).reshape(3, 4), np.ones((26, 30), np.uint16))
    cv2.imwrite(str(tmp_path / "many.png"), cv2.copyMakeBorder(ids, 1, 1, 0, 0, cv2.BORDER_CONSTANT))
    many = type(photo)(photo.source, photo.image, tmp_path / "many.png")
    views = list(views_of(many, np.random.default_rng(0)))
    assert len(views) == 4
    for pixels, labels in views:
        assert pixels.shape == (SIDE, SIDE, 3)
        assert labels[..., WHOLE].any()


def test_the_pool_holds_what_is_trained_on(outlined: Path, tmp_path: Path) -> None:
    build_outlined(outlined, tmp_path, without=["wall"])
    (shard,) = tmp_path.glob("*.npy")
    assert shard.name == "drawn-pets_a_0000.npy"
    photos = [photo for photo in read_outlined(outlined) if photo.source == "pets_a"]
    assert open_shard(shard).shape == (len(photos), SIDE, SIDE, 3 + LEVELS)


def test_held_out_objects_become_a_set_to_evaluate_on(outlined: Path, tmp_path: Path) -> None:
    count = write_outlined(outlined, tmp_path)
    segments = read_segments(tmp_path)
    assert len(segments) == count == 2 * len(read_outlined(outlined, held_out=True))
    assert {int(segment.truth().sum()) for segment in segments} == {30 * 40, 25 * 50}


@pytest.mark.parametrize("content", ["[1]", "{", '[{"file": "images/a_0.jpg"}]'])
def test_a_broken_list_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "masks.json").write_text(content)
    with pytest.raises(DatasetError, match=r"masks\.json is not a list"):
        read_outlined(tmp_path)
