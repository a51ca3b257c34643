"""Label a data set with the workers of a Ray cluster, as one stream: read, encode and decode, write.

Workers keep the model. Reading goes ahead only as far as the cluster's memory allows; results are noted here, in the
journal of a run on one machine, as they arrive. Encoding and decoding share a worker: an embedding is larger than its
picture, and second looks encode again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from itertools import islice
from typing import Any

import numpy as np

from clickmask.decoder.checkpoints import load_model
from clickmask.decoder.cluster.ray import connect
from clickmask.decoder.engine import Engine
from clickmask.decoder.errors import CheckpointError, ClickMaskError, ClusterError, ImageError
from clickmask.decoder.images import Pixels
from clickmask.decoder.label.journal import Journal, JournalEntry
from clickmask.decoder.label.run import Job, PictureTask, label_picture, object_count
from clickmask.decoder.models import Precision

CACHE_BYTES = 2**28  # each picture is done once
PART = 10_000  # pictures handed to Ray at once, so that the list of a data set is never in memory as a whole
BLOCK = 4  # pictures that are done again if their worker dies
READING = 2  # pictures read at the same time, for each worker
TRIES = 3  # of a block whose worker died

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """Which model every worker loads.

    Args:
        name: As of ``load_model``; a file must be there on every machine.
        device: Where each worker computes.
        precision: As of ``load_model``.
        image_side: Likewise.
        fingerprint: Of the model where the run was started.
    """

    name: str
    device: str
    precision: Precision
    image_side: int | None
    fingerprint: str


def run_job_on_ray(
    job: Job,
    address: str,
    choice: ModelChoice,
    journal: Journal,
    progress: Callable[[int], None],
    workers: int | None = None,
) -> None:
    """Label what the journal does not hold yet; answers are those of ``run_job``.

    What goes wrong with a picture is noted; so is a picture at which workers die again and again.

    Args:
        job: What to do.
        address: See ``connect``.
        choice: Which model.
        journal: What is done; written here only.
        progress: Told after each picture how many objects it has.
        workers: At most so many; None: one for each core, or each GPU where the model runs on one.

    Raises:
        ClusterError: If the cluster cannot be joined or used, or a worker has other weights or another version.
        DatasetError: If the journal cannot be written.
    """
    ray = connect(address)
    unit = "GPU" if choice.device.startswith("cuda") else "CPU"
    count = workers or max(1, int(ray.cluster_resources().get(unit, 0)))
    done = journal.done()
    todo = (task for task in job.tasks() if task.key not in done)
    while part := list(islice(todo, PART)):
        arrived = set()
        for row in _stream(ray, part, choice, count):
            entry = JournalEntry(row["key"], row["entry"].result, row["entry"].error)
            journal.add(entry)
            progress(object_count(entry))
            arrived.add(entry.key)
        for task in part:
            if task.key not in arrived:
                journal.add(JournalEntry(task.key, error="every worker that was given it died"))
                progress(0)


def _stream(ray: Any, tasks: list[PictureTask], choice: ModelChoice, workers: int) -> Iterator[Row]:
    """Rows with a key and its entry, in the order in which they are done."""
    from ray.data import ActorPoolStrategy, DataContext

    context = DataContext.get_current()
    context.max_errored_blocks = -1  # a block without rows is missed by its keys
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    on_gpu = choice.device.startswith("cuda")
    pictures = ray.data.from_items(
        [{"key": task.key, "task": task} for task in tasks],
        override_num_blocks=max(1, len(tasks) // BLOCK),
    )
    read = pictures.map(_read, num_cpus=0, concurrency=READING * workers)
    labeled = read.map(
        Worker,
        fn_constructor_args=[choice, version("clickmask")],
        compute=ActorPoolStrategy(min_size=1, max_size=workers),
        num_cpus=0 if on_gpu else 1,
        num_gpus=1 if on_gpu else 0,
        max_task_retries=TRIES,
    )
    try:
        yield from labeled.iter_rows()
    except ray.exceptions.RayError as error:
        raise _told(error) from None


def _told(error: BaseException) -> ClickMaskError:
    """Our own error inside Ray's, or Ray's in a sentence."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ClickMaskError):
            return ClusterError(f"a worker cannot label: {cause}")
        cause = getattr(cause, "cause", None) or cause.__cause__
    lines = [line for line in str(error).splitlines() if line.strip()]
    return ClusterError(f"the cluster failed: {lines[-1].strip() if lines else type(error).__name__}")


def _read(row: Row) -> Row:
    """Read a picture, or say why it cannot be."""
    task: PictureTask = row["task"]
    try:
        return {"key": task.key, "task": task, "pixels": np.ascontiguousarray(task.load()), "error": None}
    except ClickMaskError as error:
        return {"key": task.key, "task": task, "pixels": None, "error": str(error)}


class Worker:
    """Keeps a model, and labels picture after picture."""

    def __init__(self, choice: ModelChoice, wanted_version: str) -> None:
        here = version("clickmask")
        if here != wanted_version:
            raise ClusterError(f"a machine has ClickMask {here}, wanted {wanted_version} as where the run was started")
        model = load_model(choice.name, device=choice.device, precision=choice.precision, image_side=choice.image_side)
        if model.fingerprint != choice.fingerprint:
            raise CheckpointError(f"{choice.name} has other weights on a machine than where the run was started")
        self._engine = Engine(model, cache_bytes=CACHE_BYTES)

    def __call__(self, row: Row) -> Row:
        """Label the picture of a row."""
        return {"key": row["key"], "entry": label_picture(row["task"], self._engine, partial(_pixels, row))}


def _pixels(row: Row) -> Pixels:
    if row["pixels"] is None:
        raise ImageError(row["error"])
    pixels: Pixels = row["pixels"]
    return pixels
