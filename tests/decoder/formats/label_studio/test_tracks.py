"""Video regions read back: what Label Studio's player draws on every frame, as tracks of masks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from clickmask.decoder.errors import ClickMaskError, DatasetError
from clickmask.decoder.formats.label_studio import read_label_studio
from clickmask.decoder.formats.label_studio.tracks import read_track
from clickmask.decoder.formats.options import ReadOptions
from clickmask.decoder.formats.youtube_vis.dataset import write_youtube_vis
from clickmask.decoder.prompts import Size
from clickmask.decoder.shapes import rle_area, rle_to_mask
from tests.plugin.clips import write_clip


def keyframe(frame: int, x: float, enabled: bool = True, rotation: float = 0) -> dict[str, Any]:
    place = {"x": x, "y": 10, "width": 20, "height": 50, "rotation": rotation}
    return {"frame": frame, "enabled": enabled, "time": frame / 25} | place


def region(*sequence: dict[str, Any], label: str = "Cat") -> dict[str, Any]:
    value = {"framesCount": 10, "duration": 0.4, "sequence": list(sequence), "labels": [label]}
    return {"id": label, "from_name": "box", "to_name": "video", "type": "videorectangle", "value": value}


def test_boxes_between_keyframes_lie_on_straight_lines_and_end_where_it_is_said() -> None:
    track = read_track(region(keyframe(7, 40), keyframe(2, 10), keyframe(4, 30, enabled=False)))
    places = [track.place(frame) for frame in range(1, 11)]
    assert [None if place is None else place["x"] for place in places] == [None, 10, 20, 30, None, None, 40, 40, 40, 40]


def test_a_box_turns_the_shorter_way() -> None:
    place = read_track(region(keyframe(1, 0, rotation=170), keyframe(3, 0, rotation=-170))).place(2)
    assert place is not None
    assert place["rotation"] == pytest.approx(180)


def test_a_task_becomes_a_video(tmp_path: Path) -> None:
    """Every frame is there, also without objects, and another format takes the tracks."""
    result = [region(keyframe(2, 10)), region(keyframe(1, 50, enabled=False), label="Dog")]
    task = {"id": 1, "data": {"video": "/data/upload/1/clip.mp4"}, "annotations": [{"result": result}]}
    (tmp_path / "tasks.json").write_text(json.dumps([task]))
    write_clip(tmp_path / "clip.mp4", 3)
    dataset = read_label_studio(tmp_path / "tasks.json", ReadOptions(images=tmp_path))
    frames = list(dataset.images)
    assert [(it.image.video, it.image.frame, it.image.size) for it in frames[:2]] == [
        ("clip", 0, Size(96, 160)), ("clip", 1, Size(96, 160)),
    ]  # fmt: skip
    assert [[item.track_id for item in it.objects] for it in frames] == [[2], *[[1]] * 9]
    assert rle_area(frames[1].objects[0].rle) == 32 * 48
    assert rle_to_mask(frames[1].objects[0].rle)[10:57, 16:48].all()
    write_youtube_vis(dataset, tmp_path / "vis.json")
    written = json.loads((tmp_path / "vis.json").read_text())
    assert [sum(box is not None for box in track["bboxes"]) for track in written["annotations"]] == [1, 9]


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (region(keyframe(0, 1)), "frame is 0, wanted"),
        (region(keyframe(1, 1), keyframe(1, 2)), "two keyframes on one frame"),
        (region(keyframe(1, 1) | {"x": None}), "x is None, wanted a number"),
        (region(keyframe(1, 1), keyframe(9, 1) | {"width": 0}), "region 'Cat': width and height are 0.0 and 50.0"),
        (region(keyframe(1, 9999)), "x is 9999.0, wanted a percentage near the image"),
        (region() | {"value": {"sequence": [], "framesCount": 0}}, "framesCount is 0"),
    ],
)
def test_malformed_regions_are_refused(item: dict[str, Any], message: str) -> None:
    with pytest.raises(ClickMaskError, match=message):
        read_track(item)


def test_a_track_that_cannot_be_used_costs_no_other(tmp_path: Path) -> None:
    """The video ended on the frame where its box was empty, and objects were there on some frames only."""
    bad = region(keyframe(1, 10), keyframe(5, 10) | {"width": 0}, label="Dog")
    task = {"id": 1, "data": {"video": "clip.mp4", "width": 96, "height": 96}}
    tasks = [task | {"annotations": [{"result": result}]} for result in ([bad, region(keyframe(1, 10))], [bad])]
    (tmp_path / "tasks.json").write_text(json.dumps(tasks))
    problems: list[ClickMaskError] = []
    dataset = read_label_studio(tmp_path / "tasks.json", ReadOptions(on_problem=problems.append))
    assert [len(annotated.objects) for annotated in dataset.images] == [1] * 10
    told = f"{tmp_path / 'tasks.json'}: task 1: region 'Dog': width and height are 0.0 and 50.0, wanted more than 0"
    assert [str(problem) for problem in problems] == [told, told]


def test_a_video_without_a_size_is_told(tmp_path: Path) -> None:
    task = {"id": 1, "data": {"video": "clip.mp4"}, "annotations": [{"result": [region(keyframe(1, 1))]}]}
    (tmp_path / "tasks.json").write_text(json.dumps([task]))
    with pytest.raises(DatasetError, match="a video region tells no size, wanted the folder of the video"):
        read_label_studio(tmp_path / "tasks.json")
