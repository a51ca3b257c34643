"""Held-out composites as a data set to evaluate on: whole objects from files that were never trained on."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image

from training.pool import PoolPlan, build_pool, open_shards
from training.scene import NOTHING, WHOLE

AREA_SHARE = (0.004, 0.6)  # of the picture, for an object to be asked for


def write_held_out(material: Path, folder: Path, objects: int, seed: int = 1) -> None:
    """Make composites and write one whole object of each, in the form ``read_segments`` reads.

    Args:
        material: The training pack.
        folder: Gets ``index.json``, ``images``, ``masks`` and the pool they come from.
        objects: How many; pictures without an object of fitting size are passed over.
        seed: Of the composites and of which object is asked for.

    Raises:
        DatasetError: If the material is missing or unreadable.
    """
    plan = PoolPlan(composite=-(-objects // 100), leaves=0, pseudo=0, seed=seed, held_out=True)
    build_pool(material, folder / "pool", plan, processes=1)
    pictures = [image for shard in open_shards(folder / "pool", "composite") for image in shard]
    rng = np.random.default_rng(seed)
    index: list[dict[str, str]] = []
    for name in ("images", "masks"):
        (folder / name).mkdir(exist_ok=True)
    for number, picture in enumerate(pictures):
        mask = _draw_object(picture[..., 3 + WHOLE], rng)
        if mask is None or len(index) == objects:
            continue
        paths = {"image": f"images/{number:04d}.png", "mask": f"masks/{number:04d}.png"}
        Image.fromarray(np.ascontiguousarray(picture[..., :3])).save(folder / paths["image"])
        Image.fromarray(mask.astype(np.uint8) * 255).save(folder / paths["mask"])
        index.append(paths)
    (folder / "index.json").write_text(json.dumps(index, indent=1))


def _draw_object(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray | None:  # type: ignore[type-arg]
    """The mask of a random whole object of fitting size, (H, W) bool, or None."""
    numbers, counts = np.unique(labels, return_counts=True)
    shares = counts / labels.size
    fitting = numbers[(numbers > 0) & (numbers != NOTHING) & (shares > AREA_SHARE[0]) & (shares < AREA_SHARE[1])]
    return None if not len(fitting) else np.asarray(labels == rng.choice(fitting))
