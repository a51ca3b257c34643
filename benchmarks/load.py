"""Many people at one backend: what a click takes them, whether each gets the answers they would get alone.

Run ``python -m benchmarks.load``. Starts the backend as a program of its own and speaks Label Studio's protocol to it.
1, 4 and 16 people click, each on a photo of their own that is encoded already, with the second look and without; the
last row adds a person who opens one new photo after the other. Every answer is compared with the answer of a second
backend to the same click when nobody else is there. Fails if one is another.
"""

from __future__ import annotations

import itertools
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
from numpy.typing import NDArray

from benchmarks.backend import (
    BACKEND_PORT,
    CLICKS_PER_OBJECT,
    FLAGS,
    JsonObject,
    Person,
    image_server,
    request,
    sample_photo,
)
from benchmarks.timing import Timing
from clickmask.decoder.formats.label_studio import result_to_mask
from clickmask.decoder.shapes import mask_iou
from clickmask.plugin.studio.process import running
from clickmask.plugin.studio.servers import backend_command

PEOPLE = (1, 4, 16)
CLICKS_PER_PERSON = 9
SAME = 0.995  # IoU: batches of other sizes add in another order, which moves a pixel on an edge
PROJECTS = {"with the second look": True, "without": False}

Mask = NDArray[np.bool_] | None  # (H, W); None where nothing was found


@dataclass(frozen=True, slots=True)
class Load:
    """Some people who clicked at the same time.

    Args:
        name: For the table.
        project: Whose settings they had.
        people: By number.
        masks: The answers of each.
        timing: Of all clicks.
        seconds: From the first click to the last answer.
    """

    name: str
    project: str
    people: Sequence[int]
    masks: Sequence[Sequence[Mask]]
    timing: Timing
    seconds: float

    def row(self, alone: Sequence[Sequence[Mask]]) -> str:
        """As a row of a Markdown table, beside the answers that each got without the others."""
        count, median, slow = len(self.timing.seconds), self.timing.median_ms, self.timing.percentile_ms(0.95)
        rate = f"{count / self.seconds:.0f}"
        return f"| {self.name} | {rate} | {median:.0f} | {slow:.0f} | {count - self.different(alone)} of {count} |"

    def different(self, alone: Sequence[Sequence[Mask]]) -> int:
        """How many answers are not those that each got without the others."""
        pairs = zip(itertools.chain.from_iterable(self.masks), itertools.chain.from_iterable(alone), strict=True)
        return sum(not _same(mask, wanted) for mask, wanted in pairs)


class Backend:
    """A running backend, as Label Studio sees it."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def introduce(self, project: str, *, zoom: bool) -> None:
        """What a project says when it is connected."""
        self._client.post(
            "/setup", json={"project": project, "extra_params": json.dumps({"zoom": zoom})}
        ).raise_for_status()

    def click(self, project: str, url: str, context: JsonObject) -> Mask:
        """The mask that a click is answered with."""
        answer = self._client.post("/predict", json=request(url, context, project=project)).raise_for_status().json()
        result = answer["results"][0]["result"]
        return result_to_mask(result[0]) if result else None


def annotate(backend: Backend, project: str, url: str, person: int) -> tuple[list[float], list[Mask]]:
    """One person's clicks, on one object after the other: what each took [s], and its answer."""
    clicking, seconds, masks = Person(person), [], []
    for turn in range(CLICKS_PER_PERSON):
        context = clicking.same_object() if turn % CLICKS_PER_OBJECT else clicking.new_object()
        start = time.perf_counter()
        masks.append(backend.click(project, url, context))
        seconds.append(time.perf_counter() - start)
    return seconds, masks


def together(backend: Backend, project: str, urls: Sequence[str], people: Sequence[int], name: str) -> Load:
    """These people at once, each on a photo."""
    start = time.perf_counter()
    with ThreadPoolExecutor(len(people)) as pool:
        work = [pool.submit(annotate, backend, project, url, one) for one, url in zip(people, urls, strict=False)]
        found = [one.result() for one in work]
    took = time.perf_counter() - start
    seconds = sorted(itertools.chain.from_iterable(one for one, _ in found))
    return Load(name, project, people, [masks for _, masks in found], Timing(tuple(seconds)), took)


@contextmanager
def someone_opens_photos(backend: Backend, project: str, first: str) -> Iterator[None]:
    """While this lasts, a further person opens a photo, clicks on it once, and goes on to the next."""
    over = threading.Event()

    def work() -> None:
        for number in itertools.count():
            if over.is_set():
                return
            backend.click(project, f"{first}&new={number}", Person(number).new_object())

    with ThreadPoolExecutor(1) as pool:
        opening = pool.submit(work)
        try:
            yield
        finally:
            over.set()
            opening.result()


@contextmanager
def serving(folder: Path, photo: Path) -> Iterator[tuple[Backend, list[str]]]:
    """A backend with nothing in its memory but the photos, which are encoded, and their addresses."""
    command = backend_command(folder, BACKEND_PORT, FLAGS, os.environ)
    with image_server(photo.parent) as images, running(command), _client() as client:
        backend, urls = Backend(client), [f"{images}/{photo.name}?copy={number}" for number in range(max(PEOPLE))]
        for project, zoom in PROJECTS.items():
            backend.introduce(project, zoom=zoom)
        for url in urls:
            backend.click("without", url, Person().new_object())
        yield backend, urls


def crowds(backend: Backend, urls: Sequence[str]) -> Iterator[Load]:
    """All loads; everybody clicks once only, so that no answer is known from before."""
    numbers = itertools.count()
    for project in PROJECTS:
        for count in PEOPLE:
            people = list(itertools.islice(numbers, count))
            yield together(backend, project, urls, people, f"{count} at once, {project}")
        people = list(itertools.islice(numbers, 4))
        with someone_opens_photos(backend, project, urls[0]):
            yield together(backend, project, urls, people, f"4, while one opens new photos, {project}")


def _client() -> httpx.Client:
    limits = httpx.Limits(max_connections=2 * max(PEOPLE))
    return httpx.Client(base_url=f"http://127.0.0.1:{BACKEND_PORT}", timeout=120, trust_env=False, limits=limits)


def _same(mask: Mask, wanted: Mask) -> bool:
    if mask is None or wanted is None:
        return mask is wanted
    return mask_iou(mask, wanted) >= SAME


def main() -> int:
    """Print the table; 1 if an answer was another than when its person was alone."""
    different = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photo = sample_photo(folder)
        with serving(folder / "crowded", photo) as (backend, urls):
            loads = list(crowds(backend, urls))
        where = f"nano, CPU, {os.cpu_count()} cores, clicks on encoded photos"
        head = f"| {where} | clicks/s | p50 [ms] | p95 [ms] | as if alone |"
        print(f"{head}\n|---|---|---|---|---|", flush=True)
        with serving(folder / "alone", photo) as (backend, urls):
            for load in loads:
                alone = [
                    annotate(backend, load.project, url, person)[1]
                    for person, url in zip(load.people, urls, strict=False)
                ]
                print(load.row(alone), flush=True)
                different += load.different(alone)
    return min(different, 1)


if __name__ == "__main__":
    sys.exit(main())
