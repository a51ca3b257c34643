"""Label a data set with the workers of a Ray cluster, as one stream: read, encode and decode, write.

Workers keep the model. Reading goes ahead only as far as the cluster's memory allows; results are noted here, in the
journal of a run on one machine, as they arrive. Encoding and decoding share a worker: an embedding is larger than its
picture, and second looks encode again.
"""

from __future__ import annotations

import json
import pickle
import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from itertools import islice
from typing import Any

from clickmask.decoder.checkpoints import load_model
from clickmask.decoder.cluster.ray import connect
from clickmask.decoder.cluster.reading import Row, pixels_of, read_picture
from clickmask.decoder.engine import Engine
from clickmask.decoder.errors import CheckpointError, ClusterError
from clickmask.decoder.formats.json_writer import compact_json
from clickmask.decoder.label.journal import Journal, JournalEntry
from clickmask.decoder.label.run import Job, PictureTask, label_picture, object_count
from clickmask.decoder.models import Precision

CACHE_BYTES = 2**28  # each picture is done once
PART = 10_000  # pictures handed to Ray at once, so that the list of a data set is never in memory as a whole
BLOCK = 4  # pictures that are done again if their worker dies
TRIES = 3  # of a block whose worker died

_OUR_ERROR = re.compile(r"clickmask\.decoder\.errors\.\w+: (.+)")


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
            entry = JournalEntry(row["key"], json.loads(row["result"]), row["error"] or None)
            journal.add(entry)
            progress(object_count(entry))
            arrived.add(entry.key)
        for task in part:
            if task.key not in arrived:
                journal.add(JournalEntry(task.key, error="every worker that was given it died"))
                progress(0)


def _stream(ray: Any, tasks: list[PictureTask], choice: ModelChoice, workers: int) -> Iterator[Row]:
    """Rows with a key and its entry, in the order in which they are done."""
    from ray.data import ActorPoolStrategy, DataContext, TaskPoolStrategy

    context = DataContext.get_current()
    context.max_errored_blocks = -1  # a block without rows is missed by its keys
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    on_gpu = choice.device.startswith("cuda")
    rows = [{"key": task.key, "load": pickle.dumps(task.load), "label": pickle.dumps(task.label)} for task in tasks]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the pinned Ray warns of names that a later one will not know
        pictures = ray.data.from_items(rows, override_num_blocks=-(-len(rows) // BLOCK))
        read = pictures.map(read_picture, num_cpus=0, compute=TaskPoolStrategy(workers))
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


def _told(error: BaseException) -> ClusterError:
    """Our own error, of which Ray hands on but the text, or Ray's in a sentence."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    ours = _OUR_ERROR.search(lines[-1])
    return ClusterError(f"a worker cannot label: {ours[1]}" if ours else f"the cluster failed: {lines[-1]}")


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
        """Label the picture of a row; the answer is what the journal notes of it."""
        task = PictureTask(row["key"], partial(pixels_of, row), pickle.loads(row["label"]))
        entry = label_picture(task, self._engine)
        return {"key": entry.key, "result": compact_json(entry.result), "error": entry.error or ""}
