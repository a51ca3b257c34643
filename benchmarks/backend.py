"""Click to answer at the Label Studio backend: cold and warm, and against encoding at every click.

Run ``python -m benchmarks.backend``; ``python -m benchmarks.label_studio`` adds the way through a real Label Studio,
``python -m benchmarks.load`` has many people.
Starts the backend as a program of its own, clicks over HTTP, stops it.
"""

from __future__ import annotations

import http.server
import json
import os
import random
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import torch
from label_studio_sdk.converter.brush import mask2rle
from PIL import Image

from benchmarks.timing import Timing, race
from clickmask.decoder import Engine, Model, Point, Prompt, binarize, encode_image, load_model, predict_masks
from clickmask.plugin.build import build_backend
from clickmask.plugin.labels import label_config
from clickmask.plugin.settings import Settings
from clickmask.plugin.studio.photos import sample_photos
from clickmask.plugin.studio.process import running
from clickmask.plugin.studio.servers import backend_command

BACKEND_PORT = 19191
PHOTO_SIZE = (1000, 750)
IMAGES, OBJECTS, CLICKS_PER_OBJECT = 20, 40, 3
RIVAL_CLICKS = 30
LABELS = "brush"
OURS = "in one process, on another object, without zoom"
THEIRS = "as the SAM 2 example does: encoding at every click, RLE by Label Studio's SDK"
# Every image is new, no model loads, nobody is sent away, and nothing is encoded before it is clicked on.
FLAGS = ("--trusted-hosts", "127.0.0.1", "--encode-ahead", "0", "--ready-seconds", "300", "--workers", "16")

Rows = dict[str, Timing]
JsonObject = dict[str, Any]


@contextmanager
def image_server(folder: Path) -> Iterator[str]:
    """Serve a folder on a free port of this machine."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments, directory=str(folder))

        def log_message(self, *_: Any) -> None:
            """Stay quiet."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


class Person:
    """Clicks on one object after the other, somewhere in the middle part of an image."""

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)
        self._spots: list[tuple[float, float]] = []  # of the object at hand [percent]

    def new_object(self) -> JsonObject:
        """What the page sends for the first click on another object."""
        self._spots = [(self._random.uniform(30, 70), self._random.uniform(30, 70))]
        return self._context()

    def same_object(self) -> JsonObject:
        """What the page sends for one more click beside the first: all of them."""
        x, y = self._spots[0]
        self._spots.append((x + self._random.uniform(-5, 5), y + self._random.uniform(-5, 5)))
        return self._context()

    def _context(self) -> JsonObject:
        names = {"type": "keypointlabels", "from_name": "point", "to_name": "image", "origin": "manual"}
        values = [{"x": x, "y": y, "width": 0.2, "keypointlabels": ["Thing"]} for x, y in self._spots]
        return {"result": [names | {"id": f"{it}", "is_positive": True, "value": it} for it in values]}


def request(image_url: str, context: JsonObject, **extra: Any) -> JsonObject:
    """What Label Studio sends for a click."""
    task = {"id": 1, "data": {"image": image_url}}
    body = {"tasks": [task], "project": "1.1", "label_config": label_config(LABELS), "params": {"context": context}}
    return body | extra


def clicks(click: Callable[[str, JsonObject], object], images: Sequence[str], where: str) -> Rows:
    """One person: the first click on every image, then objects of three clicks on all of them in turn."""
    person = Person()
    seconds: dict[str, list[float]] = {kind: [] for kind in ("an image not encoded", "another object", "it again")}

    def timed(kind: str, image: str, context: JsonObject) -> None:
        start = time.perf_counter()
        click(image, context)
        seconds[kind].append(time.perf_counter() - start)

    for image in images:
        timed("an image not encoded", image, person.new_object())
    for turn in range(OBJECTS):
        image = images[turn % len(images)]
        timed("another object", image, person.new_object())
        for _ in range(CLICKS_PER_OBJECT - 1):
            timed("it again", image, person.same_object())
    return {f"{where}, on {kind}": Timing(tuple(sorted(times))) for kind, times in seconds.items()}


def as_the_sam2_example_does(model: Model, path: Path, context: JsonObject) -> str:
    """Open the image, encode it, decode the click, take the best mask, encode it with the SDK: at every click."""
    image = np.array(Image.open(path).convert("RGB"))
    height, width = image.shape[:2]
    spots = [item["value"] for item in context["result"]]
    points = tuple(Point(spot["x"] / 100 * width, spot["y"] / 100 * height) for spot in spots)
    masks = predict_masks(model, encode_image(model, image), Prompt(points))
    best = 1 + int(masks.predicted_iou[1:].argmax())
    mask = binarize(masks.logits[best], masks.size)
    rle = mask2rle((mask * 255).astype(np.uint8))
    value = {"format": "rle", "rle": rle, "brushlabels": ["Thing"]}
    return json.dumps({"results": [{"result": [{"type": "brushlabels", "value": value}]}]})


def rivals(model: Model, photo: Path, url: str, folder: Path) -> dict[str, Callable[[], object]]:
    """Ways to answer a click, in one process, without HTTP, with the same weights."""
    settings = Settings(data_dir=folder / "rivals", trusted_hosts=("127.0.0.1",), encode_ahead=0, embedding_disk_mb=0)
    predictor = build_backend(settings, lambda _: Engine(model)).predictor
    for project, zoom in (("zoomed", True), ("plain", False)):
        predictor.setup({"project": project, "extra_params": json.dumps({"zoom": zoom})})
    cores, person = torch.get_num_threads(), Person()

    def ours(project: str, context: Callable[[], JsonObject]) -> str:
        return json.dumps(predictor.predict(request(url, context(), project=project)).body)

    def theirs() -> str:
        torch.set_num_threads(cores)  # the backend runs nano on one
        return as_the_sam2_example_does(model, photo, person.new_object())

    return {
        "in one process, on another object": partial(ours, "zoomed", person.new_object),
        "in one process, on it again": partial(ours, "zoomed", person.same_object),
        OURS: partial(ours, "plain", person.new_object),
        THEIRS: theirs,
    }


def measure(folder: Path, photo: Path) -> Rows:
    """Everything that needs no Label Studio."""
    backend = backend_command(folder, BACKEND_PORT, FLAGS, os.environ)
    client = httpx.Client(base_url=f"http://127.0.0.1:{BACKEND_PORT}", timeout=120, trust_env=False)

    def click(url: str, context: JsonObject) -> None:
        client.post("/predict", json=request(url, context)).raise_for_status()

    with image_server(photo.parent) as images, running(backend), client:
        first = f"{images}/{photo.name}"
        click(first, Person().new_object())  # the model is loaded now
        urls = [f"{first}?copy={number}" for number in range(IMAGES)]
        rows = clicks(click, urls, "at the backend")
        return rows | race(rivals(load_model("nano"), photo, first, folder), RIVAL_CLICKS)


def sample_photo(folder: Path) -> Path:
    """A photo of the size that the other benchmarks show."""
    path = folder / "photo.jpg"
    Image.open(sample_photos(folder)[0]).resize(PHOTO_SIZE, Image.Resampling.BICUBIC).save(path, quality=92)
    return path


def print_rows(rows: Rows) -> None:
    """A Markdown table, and how much longer it takes to encode at every click."""
    about = f"nano, CPU, {os.cpu_count()} cores, a photo of {PHOTO_SIZE[0]}x{PHOTO_SIZE[1]}, {LABELS} answers"
    print(f"\n| click to answer ({about}) | p50 [ms] | p95 [ms] |\n|---|---|---|")
    for name, timing in rows.items():
        print(f"| {name} | {timing.median_ms:.0f} | {timing.percentile_ms(0.95):.0f} |")
    times = rows[THEIRS].median_ms / rows[OURS].median_ms
    print(f"\nFor the same mask, encoding at every click takes {times:.1f} times as long.")


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        print_rows(measure(Path(folder), sample_photo(Path(folder))))


if __name__ == "__main__":
    main()
