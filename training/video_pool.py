"""The clips' pool: clips made ahead of time, in files that are mapped into memory.

A folder of shards ``clips_{number}.npy``, each uint8 (CLIPS, FRAMES, SIDE, SIDE, 4): colour, then the objects' bits.
A shard depends on its number and the seed only, so an interrupted run goes on where it stopped.
"""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from clickmask.decoder.files import whole_file
from training.material import load_material
from training.pool import check_pool, open_shards
from training.video import FRAMES, POOL_MIX, SIDE, make_clip

CLIPS = 16  # per shard


@dataclass(frozen=True)
class ClipPlan:
    """How many shards to make.

    Args:
        shards: Of 16 clips each.
        held_out: Use cut-outs that are never trained on; for measuring.
    """

    shards: int
    seed: int = 0
    held_out: bool = False

    def path(self, folder: Path, number: int) -> Path:
        """Where a shard lies."""
        return folder / f"{'held_out' if self.held_out else 'clips'}_{number:04d}.npy"


def build_clips(material: Path, pool: Path, folder: Path, plan: ClipPlan, *, processes: int = 2) -> list[Path]:
    """Make the plan's shards that are not there yet; return the paths of all.

    Args:
        material: The training pack.
        pool: Labelled images, see ``training.pool``; the backgrounds.
        folder: To write to.
        plan: What to make.
        processes: That share the work.

    Raises:
        DatasetError: If the material or the pool is missing.
    """
    load_material(material, held_out=plan.held_out)  # fail here, not in a worker
    check_pool(pool)
    folder.mkdir(parents=True, exist_ok=True)
    paths = [plan.path(folder, number) for number in range(plan.shards)]
    todo = [number for number, path in enumerate(paths) if not path.exists()]
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as workers:
        jobs = [workers.submit(_make_shard, material, pool, folder, plan, number) for number in todo]
        for job in tqdm(jobs, desc="clips", unit="shard", disable=None):
            job.result()
    return paths


def open_clips(path: Path) -> NDArray[np.uint8]:
    """Map a shard; costs no memory until read."""
    clips: NDArray[np.uint8] = np.load(path, mmap_mode="r")
    return clips


def _make_shard(material_folder: Path, pool_folder: Path, folder: Path, plan: ClipPlan, number: int) -> None:
    cv2.setNumThreads(1)  # the processes are the parallelism
    material = load_material(material_folder, held_out=plan.held_out)
    pool = {kind: open_shards(pool_folder, kind) for kind in POOL_MIX}
    rng = np.random.default_rng((plan.seed, number, int(plan.held_out)))
    shard = np.empty((CLIPS, FRAMES, SIDE, SIDE, 4), np.uint8)
    for clip in shard:
        clip[..., :3], clip[..., 3] = make_clip(material, pool, rng)
    with whole_file(plan.path(folder, number)) as part, part.open("wb") as file:  # a reader sees all of it or none
        np.save(file, shard)
