"""Pools are the same for the same seed, go on where they stopped, and never mix in what is held out."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from clickmask.decoder.checkpoints import NANO_WEIGHTS
from clickmask.decoder.errors import DatasetError
from training.material import load_material, read_rgba
from training.pool import MAKERS, SELF_TRAINING, PoolPlan, build_pool, check_pool, growing_pool, open_shards, shard_path
from training.scene import LEVELS, SIDE


def test_shards_have_colour_and_labels(pool: Path) -> None:
    for kind in MAKERS:
        (shard,) = open_shards(pool, kind)
        assert shard.shape == (2, SIDE, SIDE, 3 + LEVELS)
        assert shard[..., 3:].max() > 0, f"{kind} has no labels"


@pytest.mark.parametrize("kind", sorted(MAKERS))
def test_the_same_seed_makes_the_same_image(pack: Path, kind: str) -> None:
    material = load_material(pack)
    first, again, other = (MAKERS[kind](material, np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert np.array_equal(first[0], again[0])
    assert np.array_equal(first[1], again[1])
    assert not np.array_equal(first[0], other[0])


def test_a_finished_shard_is_not_made_again(pack: Path, pool: Path) -> None:
    path = shard_path(pool, "leaves", 0)
    written = path.stat().st_mtime_ns
    build_pool(pack, pool, PoolPlan(composite=1, leaves=1, pseudo=1, shard_size=2), processes=1)
    assert path.stat().st_mtime_ns == written


def test_a_pool_grows_beside_what_is_done_with_it(pack: Path, tmp_path: Path) -> None:
    with growing_pool(pack, tmp_path, PoolPlan(composite=20, leaves=1, pseudo=1, shard_size=2), processes=1):
        check_pool(tmp_path)
        begun = len(open_shards(tmp_path, "composite"))
        while len(open_shards(tmp_path, "composite")) <= begun:
            time.sleep(0.01)
    assert begun < len(open_shards(tmp_path, "composite")) < 20  # and what nobody waited for was left undone
    assert not list(tmp_path.glob("*.part"))


def test_a_pool_that_cannot_grow_says_so(pack: Path, tmp_path: Path) -> None:
    with (
        pytest.raises(DatasetError, match=r"no manifest\.json"),
        growing_pool(tmp_path, tmp_path, PoolPlan(), processes=1),
    ):
        raise AssertionError("began without material")


def test_held_out_files_are_others(pack: Path) -> None:
    trained, kept = load_material(pack), load_material(pack, held_out=True)
    assert kept.textures
    assert not set(kept.textures) & set(trained.textures)
    assert not set(kept.cutouts["egg"]) & set(trained.cutouts["egg"])


def test_an_unfinished_pool_holds_all_kinds() -> None:
    kinds = [kind for kind, _ in PoolPlan().shards()]
    assert set(kinds[:3]) == set(MAKERS)
    assert {kind for kind, _ in PoolPlan.of_size(3).shards()} == set(MAKERS)


def test_a_missing_pack_or_pool_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"no manifest\.json"):
        load_material(tmp_path)
    with pytest.raises(DatasetError, match="no shard of kind composite, leaves, pseudo"):
        check_pool(tmp_path)


def test_a_cutout_without_alpha_is_refused(pack: Path) -> None:
    with pytest.raises(DatasetError, match="needs alpha"):
        read_rgba(next((pack / "photos").iterdir()))


def test_a_teacher_labels_photos_for_a_pool(pack: Path, tmp_path: Path) -> None:
    build_pool(
        pack,
        tmp_path,
        PoolPlan(composite=0, leaves=0, pseudo=0, self_training=1, teacher=NANO_WEIGHTS, shard_size=2),
        processes=1,
    )
    (shard,) = open_shards(tmp_path, SELF_TRAINING)
    assert shard.shape == (2, SIDE, SIDE, 3 + LEVELS)
    assert PoolPlan.of_size(9).self_training == 0
    assert PoolPlan.of_size(184, teacher=NANO_WEIGHTS).self_training == 24
