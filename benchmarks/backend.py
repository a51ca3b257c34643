"""Click to answer at the Label Studio backend: cold and warm, many people, and against encoding at every click.

Run ``python -m benchmarks.backend``. Starts the backend as a program of its own, clicks over HTTP, stops it.
"""

from __future__ import annotations

import http.server
import json
import os
import random
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
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


def request(image_url: str, config: str, points: list[tuple[float, float]]) -> dict[str, Any]:
    """What Label Studio sends for some clicks [percent] on one object."""
    items = [
        {
            "type": "keypointlabels",
            "from_name": "point",
            "to_name": "image",
            "origin": "manual",
            "is_positive": True,
            "value": {"x": x, "y": y, "width": 0.2, "keypointlabels": ["Thing"]},
        }
        for x, y in points
    ]
    task = {"id": 1, "data": {"image": image_url}}
    return {"tasks": [task], "project": "1.1", "label_config": config, "params": {"context": {"result": items}}}


def somewhere() -> list[tuple[float, float]]:
    """One click in the middle part of the image."""
    return [(random.uniform(30, 70), random.uniform(30, 70))]


def click(client: httpx.Client, image_url: str, config: str) -> float:
    """Click once; the time to the whole answer [s]."""
    start = time.perf_counter()
    client.post("/predict", json=request(image_url, config, somewhere())).raise_for_status()
    return time.perf_counter() - start


def together(client: httpx.Client, images: list[str], people: int) -> tuple[Timing, float]:
    """Many people, each clicking on an image of their own; their times, and clicks per second of all."""
    config = label_config("brush")
    for url in images[:people]:
        click(client, url, config)
    start = time.perf_counter()
    with ThreadPoolExecutor(people) as pool:
        turns = [images[person] for _ in range(CLICKS_PER_PERSON) for person in range(people)]
        seconds = sorted(pool.map(lambda url: click(client, url, config), turns))
    return Timing(tuple(seconds)), len(turns) / (time.perf_counter() - start)


def as_the_sam2_example_does(model: Model, path: Path) -> str:
    """Open the image, encode it, decode the click, take the best mask, encode it with the SDK: at every click."""
    image = np.array(Image.open(path).convert("RGB"))
    height, width = image.shape[:2]
    ((x, y),) = somewhere()
    masks = predict_masks(model, encode_image(model, image), Prompt((Point(x / 100 * width, y / 100 * height),)))
    best = 1 + int(masks.predicted_iou[1:].argmax())
    mask = binarize(masks.logits[best], masks.size)
    rle = mask2rle((mask * 255).astype(np.uint8))
    value = {"format": "rle", "rle": rle, "brushlabels": ["Thing"]}
    return json.dumps({"results": [{"result": [{"type": "brushlabels", "value": value}]}]})


def rivals(model: Model, path: Path, url: str, folder: Path) -> dict[str, Callable[[], object]]:
    """Both ways to answer a click, in one process, without HTTP, with the same weights."""
    settings = Settings(data_dir=folder / "rivals", trusted_hosts=("127.0.0.1",), encode_ahead=0, embedding_disk_mb=0)
    predictor = build_backend(settings, lambda _: Engine(model)).predictor
    config = label_config("brush")

    def ours() -> str:
        return json.dumps(predictor.predict(request(url, config, somewhere())).body)

    return {"ClickMask": ours, "encoding at every click": partial(as_the_sam2_example_does, model, path)}


def print_table(heading: str, timings: dict[str, Timing]) -> None:
    """One row per timing."""
    print(f"\n| {heading} | p50 [ms] | p95 [ms] |\n|---|---|---|")
    for name, timing in timings.items():
        print(f"| {name} | {timing.median_ms:.0f} | {timing.percentile_ms(0.95):.0f} |")


def main() -> None:
    """Print the tables."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photo = sample_photos(folder)[0]
        flags = [
            "--trusted-hosts",
            "127.0.0.1",
            "--data-dir",
            str(folder / "data"),
            "--encode-ahead",
            "0",
            "--ready-seconds",
            "300",
        ]
        server = backend_command(folder, BACKEND_PORT, [*flags, "--workers", "16"], os.environ)
        address = f"http://127.0.0.1:{BACKEND_PORT}"
        with (
            image_server(photo.parent) as images,
            running(server),
            httpx.Client(base_url=address, timeout=120, trust_env=False) as client,
        ):
            urls = [f"{images}/{photo.name}?copy={number}" for number in range(COLD_CLICKS)]
            config = label_config("brush")
            click(client, f"{images}/{photo.name}", config)  # the model is loaded now
            cold = Timing(tuple(sorted(click(client, url, config) for url in urls)))
            warm = Timing(tuple(sorted(click(client, urls[0], config) for _ in range(WARM_CLICKS))))
            with Image.open(photo) as picture:
                print(f"nano, CPU, {os.cpu_count()} cores, a photo of {picture.width}x{picture.height}, brush answers")
            print_table("one click over HTTP", {"first click on an image": cold, "later clicks": warm})
            crowd = {people: together(client, urls, people) for people in PEOPLE}
            print_table(
                "people clicking at once, each on an image of their own",
                {f"{people} ({rate:.0f} clicks/s)": timing for people, (timing, rate) in crowd.items()},
            )
            race_of_two = race(rivals(load_model("nano"), photo, f"{images}/{photo.name}", folder), RIVAL_CLICKS)
        print_table("a click without HTTP, in turn in one process", race_of_two)
        ratio = race_of_two["encoding at every click"].median_ms / race_of_two["ClickMask"].median_ms
        print(f"Encoding at every click takes {ratio:.1f} times as long.")


if __name__ == "__main__":
    main()
