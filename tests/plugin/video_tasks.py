"""Video tasks as Label Studio sends them, and how well their answers fit the clip."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from clickmask.decoder import Box
from clickmask.decoder.shapes import box_iou
from clickmask.plugin.build import Backend
from clickmask.plugin.labels import label_config
from tests.plugin.clips import CLIP, HEIGHT, PICTURES, SIDE, WIDTH, square
from tests.plugin.conftest import Body, recorded
from tests.plugin.test_video import shown

MakeBackend = Callable[..., Backend]


def drawn(number: int = 0, frame: int = 1, *, name: str = "", label: str = "Animal", **more: Any) -> Body:
    """A box around a square of the clip, drawn on a frame."""
    box = square(number, frame - 1)
    place = {"x": 100 * box.x0 / WIDTH, "y": 100 * box.y0 / HEIGHT}
    place |= {"width": 100 * SIDE / WIDTH, "height": 100 * SIDE / HEIGHT}
    keyframe = {"frame": frame, "enabled": True, "rotation": 0, "time": frame / 25} | place
    value = {"framesCount": PICTURES, "duration": PICTURES / 25, "sequence": [keyframe], "labels": [label]}
    names = {"from_name": "box", "to_name": "video", "type": "videorectangle", "origin": "manual"}
    return {"value": value, "id": name or f"region{number}"} | names | more


def task(number: int = 1, video: str = CLIP, **more: Any) -> Body:
    return {"id": number, "project": 1, "data": {"video": video}, "annotations": [], "predictions": []} | more


def annotated(number: int, *regions: Body, **more: Any) -> Body:
    """A task with boxes that somebody drew."""
    return task(number, annotations=[{"id": number, "result": list(regions)}], **more)


def asked(*regions: Body, config: str = "", of: Body | None = None) -> Body:
    """A request as the page sends it when a label is picked for a selected region."""
    body = recorded("click") | {"label_config": config or label_config("video"), "tasks": [of or task()]}
    return body | {"params": {"login": None, "password": None, "context": {"result": list(regions)}}}


def unprompted(*tasks: Body) -> Body:
    body = recorded("task_opened")
    return body | {"label_config": label_config("video"), "tasks": list(tasks)}


def answer(backend: Backend, body: Body) -> Body:
    (result,) = backend.predictor.predict(body).body["results"]
    return dict(result)


def on_frame(region: Body, frame: int) -> Box | None:
    """What the page draws [px]; ``shown`` knows a video of 400x100."""
    box = shown(region, frame)
    if box is None:
        return None
    return Box(box.x0 * WIDTH / 400, box.y0 * HEIGHT / 100, box.x1 * WIDTH / 400, box.y1 * HEIGHT / 100)


def overlaps(region: Body, number: int, frames: Sequence[int]) -> list[float]:
    """How well the track fits the square, frame by frame."""
    found = [(on_frame(region, frame), square(number, frame - 1)) for frame in frames]
    return [0.0 if box is None else box_iou(box, truth) for box, truth in found]
