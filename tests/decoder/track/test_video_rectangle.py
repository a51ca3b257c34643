"""The video region against the item that a real Label Studio writes."""

from __future__ import annotations

import pytest

from clickmask.decoder.formats.label_studio.video_rectangle import to_video_rectangle
from clickmask.decoder.prompts import Box, Size

SIZE = Size(100, 400)


def test_the_item_is_the_one_label_studio_writes() -> None:
    """Keys and units of a region drawn by hand at 25 frames per second."""
    item = to_video_rectangle(
        {0: Box(40, 25, 140, 75)},
        size=SIZE, rate=25.0, frame_count=50, region_id="95d_s9Ua48", from_name="box", to_name="video", labels=["Cat"],
    )  # fmt: skip
    assert item == {
        "value": {
            "framesCount": 50,
            "duration": 2.0,
            "sequence": [
                {"frame": 1, "enabled": True, "rotation": 0, "x": 10, "y": 25, "width": 25, "height": 50, "time": 0.04}
            ],
            "labels": ["Cat"],
        },
        "id": "95d_s9Ua48",
        "from_name": "box",
        "to_name": "video",
        "type": "videorectangle",
    }


def test_where_it_is_lost_it_is_switched_off() -> None:
    track = {t: Box(t, 0, t + 20, 20) if t < 10 else None for t in range(15)}
    item = to_video_rectangle(
        track, size=SIZE, rate=25.0, frame_count=15, region_id="a", from_name="box", to_name="video", labels=["Cat"]
    )
    assert item is not None
    assert [(s["frame"], s["enabled"]) for s in item["value"]["sequence"]] == [(1, True), (10, False)]
    assert item["value"]["sequence"][1]["time"] == pytest.approx(0.4)


def test_an_object_never_seen_is_no_region() -> None:
    assert (
        to_video_rectangle(
            {0: None}, size=SIZE, rate=25.0, frame_count=1, region_id="a", from_name="b", to_name="v", labels=[]
        )
        is None
    )
