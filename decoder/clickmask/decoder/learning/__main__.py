"""The process that learns: ``python -m clickmask.decoder.learning JOB``; what is done is told in lines of JSON.

Its priority is the lowest, so whoever waits for an answer never waits for it.
"""

from __future__ import annotations

import json
import os
import sys
from functools import partial
from pathlib import Path

from clickmask.decoder.checkpoints import load_model
from clickmask.decoder.engine import Engine
from clickmask.decoder.errors import ClickMaskError
from clickmask.decoder.images import ImageSource, load_image
from clickmask.decoder.learning.examples import Example
from clickmask.decoder.learning.fit import FitSettings
from clickmask.decoder.learning.job import AcceptedObject, LearningJob, read_job
from clickmask.decoder.learning.learn import learn
from clickmask.decoder.learning.versions import Versions
from clickmask.decoder.prompts import Point
from clickmask.decoder.shapes import rle_to_mask

CACHE_BYTES = 2**30


def main(arguments: list[str]) -> int:
    """Learn as the job in the named file says."""
    if hasattr(os, "nice"):
        os.nice(19)
    try:
        outcome = run(read_job(Path(arguments[0]).read_text(encoding="utf-8")))
    except (ClickMaskError, OSError) as error:
        tell({"error": str(error)})
        return 1
    tell({"outcome": outcome})
    return 0


def run(job: LearningJob) -> object:
    """Learn, and return the outcome as JSON."""
    model = load_model(job.model, device=job.device, precision=job.precision, image_side=job.image_side)
    engine = Engine(model, cache_bytes=CACHE_BYTES, store_folder=job.store)
    examples = [example_of(one) for one in job.objects]
    versions = Versions(job.folder, job.project)
    return learn(engine, examples, versions, FitSettings(), lambda share: tell({"done": round(share, 3)})).as_json()


def example_of(one: AcceptedObject) -> Example:
    """An accepted object as it is learned from."""
    return Example(
        key=one.key,
        image=ImageSource(one.image_key, partial(load_image, one.file)),
        load_mask=partial(rle_to_mask, one.rle),
        points=tuple(Point(x, y) for x, y in one.points),
    )


def tell(line: dict[str, object]) -> None:
    """Say something to whoever started the process."""
    print(json.dumps(line), flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
