"""The pool: training images made ahead of time, in files that a loader maps into memory.

A pool is a folder of shards ``{kind}_{number}.npy``, each a uint8 array (n, SIDE, SIDE, 3 + LEVELS): colour,
then labels. A shard depends on its kind, its number and the seed only, so an interrupted run goes on where it
stopped, any number of processes may share the work, and training may start while shards are still being written.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from clickmask.decoder.checkpoints import load_model
from clickmask.decoder.errors import DatasetError
from clickmask.decoder.files import whole_file
from clickmask.decoder.models import DEFAULT_MODEL
from training.composites import make_composite
from training.leaves import make_leaves
from training.material import Material, Rgb, load_material
from training.pseudo import make_pseudo
from training.scene import LEVELS, SIDE
from training.self_training import label_by_teacher

Maker = Callable[[Material, np.random.Generator], tuple[Rgb, NDArray[np.uint8]]]
MAKERS: Mapping[str, Maker] = {"composite": make_composite, "leaves": make_leaves, "pseudo": make_pseudo}
SELF_TRAINING = "taught"  # as its files are called; a kind that not every pool has: it takes a teacher
OUTLINED = "drawn-"  # begins the kinds made of outlined photos, one a source


@dataclass(frozen=True)
class PoolPlan:
    """How many shards of each kind to make.

    Args:
        self_training: The same, labelled by the teacher.
        teacher: The nano that labels photos for the next one: a name, or its weights.
        shard_size: Images per shard.
        held_out: Make them from the material that is never trained on.
    """

    composite: int = 96
    leaves: int = 40
    pseudo: int = 48
    self_training: int = 0
    teacher: str | Path = DEFAULT_MODEL
    shard_size: int = 128
    seed: int = 0
    held_out: bool = False

    @staticmethod
    def of_size(shards: int, *, seed: int = 0, teacher: Path | None = None) -> PoolPlan:
        """A pool of about so many shards, in the usual proportion, at least one of each kind.

        With a teacher, it labels half as many photos again as the classical grouping does.
        """
        usual = PoolPlan()
        share = shards / (usual.composite + usual.leaves + usual.pseudo)

        def part(count: float) -> int:
            return max(1, round(count * share))

        plan = PoolPlan(part(usual.composite), part(usual.leaves), part(usual.pseudo), seed=seed)
        return plan if teacher is None else replace(plan, self_training=part(usual.pseudo / 2), teacher=teacher)

    def shards(self) -> list[tuple[str, int]]:
        """(kind, number) of all shards, the kinds interleaved so that an unfinished pool is a fair one."""
        counts = {"composite": self.composite, "leaves": self.leaves, "pseudo": self.pseudo}
        counts[SELF_TRAINING] = self.self_training
        numbered = [(number / count, kind, number) for kind, count in counts.items() for number in range(count)]
        return [(kind, number) for _, kind, number in sorted(numbered)]


def build_pool(material_folder: Path, pool_folder: Path, plan: PoolPlan, *, processes: int = 2) -> None:
    """Make the plan's shards that are not there yet.

    Raises:
        DatasetError: If the material is missing or unreadable.
    """
    with _making(material_folder, pool_folder, plan, processes) as jobs:
        for job in tqdm(jobs, desc="pool", unit="shard"):
            job.result()


@contextmanager
def growing_pool(material_folder: Path, pool_folder: Path, plan: PoolPlan, *, processes: int) -> Iterator[None]:
    """Make the plan's shards beside what is done inside: for a GPU, whose training leaves the cores idle.

    Begins when there is a shard of each kind. At the end, what is being made is finished, the rest is left undone.

    Raises:
        DatasetError: If the material is missing or unreadable.
    """
    with _making(material_folder, pool_folder, plan, processes) as jobs:
        for job in as_completed(jobs):
            job.result()
            if not _missing_kinds(pool_folder):
                break
        try:
            yield
        finally:
            undone = [job for job in jobs if job.cancel()]
        for job in set(jobs) - set(undone):
            job.result()


@contextmanager
def _making(material_folder: Path, pool_folder: Path, plan: PoolPlan, processes: int) -> Iterator[list[Future[None]]]:
    """The making of the shards that are not there yet, in the plan's order, in other processes."""
    load_material(material_folder, held_out=plan.held_out)  # fail here, not in a worker
    pool_folder.mkdir(parents=True, exist_ok=True)
    todo = [shard for shard in plan.shards() if not shard_path(pool_folder, *shard).exists()]
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as workers:
        yield [workers.submit(_make_shard, material_folder, pool_folder, plan, *shard) for shard in todo]


def shard_path(pool_folder: Path, kind: str, number: int) -> Path:
    """Where a shard lies."""
    return pool_folder / f"{kind}_{number:04d}.npy"


def shard_paths(pool_folder: Path, kind: str) -> list[Path]:
    """All finished shards of one kind, oldest number first."""
    return sorted(pool_folder.glob(f"{kind}_*.npy"))


def open_shard(path: Path) -> NDArray[np.uint8]:
    """Map a shard; costs no memory until read, and what is written to it stays out of the file."""
    shard: NDArray[np.uint8] = np.load(path, mmap_mode="c")
    return shard


def open_shards(pool_folder: Path, kind: str) -> list[NDArray[np.uint8]]:
    """Map all finished shards of one kind."""
    return [open_shard(path) for path in shard_paths(pool_folder, kind)]


def _make_shard(material_folder: Path, pool_folder: Path, plan: PoolPlan, kind: str, number: int) -> None:
    cv2.setNumThreads(1)  # the processes are the parallelism
    material = load_material(material_folder, held_out=plan.held_out)
    rng = np.random.default_rng((plan.seed, zlib.crc32(kind.encode()), number, int(plan.held_out)))
    shard = np.empty((plan.shard_size, SIDE, SIDE, 3 + LEVELS), np.uint8)
    make = _maker(kind, plan)
    for image in shard:
        image[..., :3], image[..., 3:] = make(material, rng)
    write_shard(shard_path(pool_folder, kind, number), shard)


def write_shard(path: Path, shard: NDArray[np.uint8]) -> None:
    """Write training images, (n, SIDE, SIDE, 3 + LEVELS); a reader sees the whole shard or none."""
    with whole_file(path) as part, part.open("wb") as file:
        np.save(file, shard)


def _maker(kind: str, plan: PoolPlan) -> Maker:
    if kind != SELF_TRAINING:
        return MAKERS[kind]
    torch.set_num_threads(1)
    return partial(label_by_teacher, load_model(plan.teacher))


def check_pool(pool_folder: Path) -> None:
    """Make sure there is something to train on.

    Raises:
        DatasetError: If the folder holds no shard of some kind.
    """
    if missing := _missing_kinds(pool_folder):
        raise DatasetError(
            f"the pool {pool_folder} has no shard of kind {', '.join(missing)}, wanted all of {', '.join(MAKERS)}"
        )


def _missing_kinds(pool_folder: Path) -> list[str]:
    return [kind for kind in MAKERS if not shard_paths(pool_folder, kind)]
