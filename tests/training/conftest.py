"""A training pack of a few drawn pictures, and a pool made of it."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from training.pool import PoolPlan, build_pool


def _write_pack(folder: Path) -> None:
    rng = np.random.default_rng(0)
    entries: list[dict[str, str]] = []
    for kind in ("photos", "cutouts"):
        (folder / kind).mkdir(parents=True)
    for number in range(100):  # one in twenty is held out, by name
        photo = cv2.resize(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8), (320, 240), interpolation=cv2.INTER_CUBIC)
        surface = {"kind": "photo"} if number % 2 else {"kind": "texture"}
        entries.append({"f": f"photos/scene_{number:05d}.png", "src": "scene", **surface})
        cv2.imwrite(str(folder / entries[-1]["f"]), photo)
        cutout = np.zeros((80, 60, 4), np.uint8)
        cv2.ellipse(cutout, (30, 40), (25, 35), 0, 0, 360, (*rng.integers(0, 256, 3).tolist(), 255), -1)
        entries.append({"f": f"cutouts/egg_{number:05d}.png", "src": "egg"})
        cv2.imwrite(str(folder / entries[-1]["f"]), cutout)
    (folder / "manifest.json").write_text(json.dumps(entries))


@pytest.fixture(scope="session")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two hundred drawn files with a manifest."""
    folder = tmp_path_factory.mktemp("pack")
    _write_pack(folder)
    return folder


@pytest.fixture(scope="session")
def pool(pack: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two images of each kind."""
    folder = tmp_path_factory.mktemp("pool")
    build_pool(pack, folder, PoolPlan(composite=1, leaves=1, pseudo=1, shard_size=2), processes=1)
    return folder
