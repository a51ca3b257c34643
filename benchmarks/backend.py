"""Click to answer at the Label Studio backend: cold and warm, many people, and against encoding at every click.

Run ``python -m benchmarks.backend``; ``python -m benchmarks.label_studio`` adds the way through a real Label Studio.
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
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from label_studio_sdk.converter.brush import mask2rle
from PIL import Image

from benchmarks.timing import Timing, race
from decoder import Engine, Model, Point, Prompt, binarize, encode_image, load_model, predict_masks
from plugin.build import build_backend
from plugin.labels import label_config
from plugin.settings import Settings
from plugin.studio.photos import sample_photos
from plugin.studio.process import running
from plugin.studio.servers import backend_command

BACKEND_PORT = 19191
COLD_CLICKS, WARM_CLICKS, RIVAL_CLICKS = 20, 100, 20
PEOPLE = (1, 4, 16)
CLICKS_PER_PERSON = 20
LABELS = "brush"
# Every image is new, no model loads, nobody is sent away, and nothing is encoded before it is clicked on.
FLAGS = ("--trusted-hosts", "127.0.0.1", "--encode-ahead", "0", "--ready-seconds", "300", "--workers", "16")

Rows = dict[str, Timing]


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


def context() -> dict[str, Any]:
    """What the page sends for one click somewhere in the middle part of the image."""
    value = {"x": random.uniform(30, 70), "y": random.uniform(30, 70), "width": 0.2, "keypointlabels": ["Thing"]}
    names = {"type": "keypointlabels", "from_name": "point", "to_name": "image", "origin": "manual"}
    return {"result": [names | {"id": f"{random.random()}", "is_positive": True, "value": value}]}


def request(image_url: str) -> dict[str, Any]:
    """What Label Studio sends for such a click."""
    task = {"id": 1, "data": {"image": image_url}}
    return {
        "tasks": [task],
        "project": "1.1",
        "label_config": label_config(LABELS),
        "params": {"context": context()},
    }


def click(client: httpx.Client, image_url: str) -> float:
    """Click once; the time to the whole answer [s]."""
    start = time.perf_counter()
    client.post("/predict", json=request(image_url)).raise_for_status()
    return time.perf_counter() - start


def alone(client: httpx.Client, images: Sequence[str]) -> Rows:
    """One person: the first click on each image, then later ones."""
    cold = [click(client, url) for url in images]
    warm = [click(client, images[turn % len(images)]) for turn in range(WARM_CLICKS)]
    return {
        "at the backend, first click on an image": Timing(tuple(sorted(cold))),
        "at the backend, later clicks": Timing(tuple(sorted(warm))),
    }


def together(client: httpx.Client, images: Sequence[str], people: int) -> Rows:
    """Many people at once, each on an image of their own that is encoded already."""
    turns = [images[person] for _ in range(CLICKS_PER_PERSON) for person in range(people)]
    start = time.perf_counter()
    with ThreadPoolExecutor(people) as pool:
        seconds = sorted(pool.map(partial(click, client), turns))
    rate = len(turns) / (time.perf_counter() - start)
    return {f"at the backend, {people} at once: {rate:.0f} clicks/s": Timing(tuple(seconds))}


def as_the_sam2_example_does(model: Model, path: Path) -> str:
    """Open the image, encode it, decode the click, take the best mask, encode it with the SDK: at every click."""
    image = np.array(Image.open(path).convert("RGB"))
    height, width = image.shape[:2]
    x, y = random.uniform(0.3, 0.7) * width, random.uniform(0.3, 0.7) * height
    masks = predict_masks(model, encode_image(model, image), Prompt((Point(x, y),)))
    best = 1 + int(masks.predicted_iou[1:].argmax())
    mask = binarize(masks.logits[best], masks.size)
    rle = mask2rle((mask * 255).astype(np.uint8))
    value = {"format": "rle", "rle": rle, "brushlabels": ["Thing"]}
    return json.dumps({"results": [{"result": [{"type": "brushlabels", "value": value}]}]})


def rivals(model: Model, photo: Path, url: str, folder: Path) -> dict[str, Callable[[], object]]:
    """Both ways to answer a click, in one process, without HTTP, with the same weights."""
    settings = Settings(data_dir=folder / "rivals", trusted_hosts=("127.0.0.1",), encode_ahead=0, embedding_disk_mb=0)
    predictor = build_backend(settings, lambda _: Engine(model)).predictor

    def ours() -> str:
        return json.dumps(predictor.predict(request(url)).body)

    return {
        "in one process, without HTTP": ours,
        "the same, encoding at every click": partial(as_the_sam2_example_does, model, photo),
    }


def measure(folder: Path, photo: Path) -> Rows:
    """Everything that needs no Label Studio."""
    backend = backend_command(folder, BACKEND_PORT, FLAGS, os.environ)
    http_client = httpx.Client(base_url=f"http://127.0.0.1:{BACKEND_PORT}", timeout=120, trust_env=False)
    with image_server(photo.parent) as images, running(backend), http_client as client:
        click(client, f"{images}/{photo.name}")  # the model is loaded now
        urls = [f"{images}/{photo.name}?copy={number}" for number in range(COLD_CLICKS)]
        rows = alone(client, urls)
        for people in PEOPLE:
            rows |= together(client, urls, people)
    with image_server(photo.parent) as images:
        return rows | race(rivals(load_model("nano"), photo, f"{images}/{photo.name}", folder), RIVAL_CLICKS)


def print_rows(rows: Rows, photo: Path) -> None:
    """A Markdown table, and how much longer it takes to encode at every click."""
    with Image.open(photo) as picture:
        about = f"nano, CPU, {os.cpu_count()} cores, a photo of {picture.width}x{picture.height}, {LABELS} answers"
    print(f"\n| click to answer ({about}) | p50 [ms] | p95 [ms] |\n|---|---|---|")
    for name, timing in rows.items():
        print(f"| {name} | {timing.median_ms:.0f} | {timing.percentile_ms(0.95):.0f} |")
    ours, theirs = (rows[name].median_ms for name in list(rows)[-2:])
    print(f"\nEncoding at every click takes {theirs / ours:.1f} times as long.")


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        photo = sample_photos(Path(folder))[0]
        print_rows(measure(Path(folder), photo), photo)


if __name__ == "__main__":
    main()
