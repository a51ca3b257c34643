"""The training pack on disk: photos, textures and cut-out objects. Knows where they are, not what is done with them."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from clickmask.decoder.errors import DatasetError

Rgb = NDArray[np.uint8]  # (H, W, 3), red first

HELD_OUT_SHARE = 20  # one file in so many is never trained on

# Share of each cut-out family among the objects of a scene. Renders and photographed objects look most
# like what people label; emoji are many but flat, so each counts for less.
FAMILY_WEIGHTS: Mapping[str, float] = {
    "r_kaykit": 0.10,
    "r_gazebo": 0.12,
    "r_aws": 0.13,
    "r_vima": 0.09,
    "r_gso_libero": 0.02,
    "r_ycb": 0.12,
    "trashnet": 0.14,
    "eshop": 0.03,
    "msobj": 0.05,
    "3dicons": 0.01,
    "fluent3d": 0.14,
    "noto": 0.05,
}


@dataclass(frozen=True)
class Material:
    """Files to make training images from.

    Args:
        photos: Photographs of real scenes, grouped by source, so that a large source does not drown the others.
        textures: Surfaces without objects.
        cutouts: RGBA pictures of one object each, grouped by family.
    """

    photos: Mapping[str, tuple[Path, ...]]
    textures: tuple[Path, ...]
    cutouts: Mapping[str, tuple[Path, ...]]


def load_material(folder: Path, *, held_out: bool = False) -> Material:
    """List the pack's files: the training share, or the share that is never trained on.

    Args:
        folder: Holds ``manifest.json`` (entries with ``f``, a path, ``src``, a source name, and for photos
            ``kind``) and the files it names.
        held_out: Whether to list the one file in twenty kept for measuring; which one depends on its name only.

    Raises:
        DatasetError: If the manifest or all files of one kind are missing.
    """
    manifest = folder / "manifest.json"
    if not manifest.is_file():
        raise DatasetError(f"no manifest.json in {folder}, wanted the training pack's folder")
    photos: dict[str, list[Path]] = {}
    textures: list[Path] = []
    cutouts: dict[str, list[Path]] = {}
    for entry in json.loads(manifest.read_text()):
        path = folder / entry["f"]
        if is_held_out(path.name) != held_out or not path.is_file():
            continue
        if entry.get("kind") == "texture":
            textures.append(path)
        elif path.parent.name == "photos":
            photos.setdefault(entry["src"], []).append(path)
        else:
            cutouts.setdefault(entry["src"], []).append(path)
    if not (photos and textures and cutouts):
        raise DatasetError(
            f"{folder} holds {len(photos)} photo sources, {len(textures)} textures and "
            f"{len(cutouts)} cut-out families, wanted at least one of each"
        )
    return Material(_frozen(photos), tuple(sorted(textures)), _frozen(cutouts))


def is_held_out(name: str) -> bool:
    """Whether a file of this name is kept for measuring."""
    return zlib.crc32(name.encode()) % HELD_OUT_SHARE == 0


def read_rgb(path: Path) -> Rgb:
    """Read a picture as RGB.

    Raises:
        DatasetError: If the file is not a picture.
    """
    return np.ascontiguousarray(_read(path, cv2.IMREAD_COLOR)[..., ::-1])


def read_rgba(path: Path) -> NDArray[np.uint8]:
    """Read a cut-out as (H, W, 4) RGBA.

    Raises:
        DatasetError: If the file is not a picture with an alpha channel.
    """
    picture = _read(path, cv2.IMREAD_UNCHANGED)
    if picture.ndim != 3 or picture.shape[2] != 4:
        raise DatasetError(f"{path} has shape {picture.shape}, wanted (height, width, 4): a cut-out needs alpha")
    return np.ascontiguousarray(picture[..., [2, 1, 0, 3]])


def draw_photo(material: Material, rng: np.random.Generator) -> Path:
    """Pick a photo: the source by the square root of its size, then evenly."""
    sources = sorted(material.photos)
    weights = np.sqrt([len(material.photos[source]) for source in sources])
    return _pick(material.photos[str(rng.choice(sources, p=weights / weights.sum()))], rng)


def draw_texture(material: Material, rng: np.random.Generator) -> Path:
    """Pick a texture evenly."""
    return _pick(material.textures, rng)


def draw_cutout(material: Material, rng: np.random.Generator) -> Path:
    """Pick a cut-out: the family by ``FAMILY_WEIGHTS``, then evenly."""
    families = sorted(material.cutouts)
    weights = np.array([FAMILY_WEIGHTS.get(family, 0.02) for family in families])
    return _pick(material.cutouts[str(rng.choice(families, p=weights / weights.sum()))], rng)


def _pick(paths: Sequence[Path], rng: np.random.Generator) -> Path:
    return paths[int(rng.integers(len(paths)))]


def _frozen(groups: dict[str, list[Path]]) -> dict[str, tuple[Path, ...]]:
    return {name: tuple(sorted(paths)) for name, paths in groups.items()}


def _read(path: Path, flags: int) -> NDArray[np.uint8]:
    picture = cv2.imread(str(path), flags)
    if picture is None:
        raise DatasetError(f"{path} cannot be read as a picture")
    return np.asarray(picture, dtype=np.uint8)
