"""Video regions: whose a keyframe is, what comes back untouched, and what the page draws between."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clickmask.decoder import Box, Size
from clickmask.decoder.shapes import box_iou
from clickmask.plugin.errors import RequestError
from clickmask.plugin.tracking.video import Known, SetKeyframe, read_objects, write_region

SIZE = Size(100, 400)
FRAMES = 20


def keyframe(frame: int, x: float = 10.0, enabled: bool = True, **more: Any) -> dict[str, Any]:
    """A keyframe as the page writes it."""
    place = {"x": x, "y": 20.0, "width": 10.0, "height": 30.0}
    return {"frame": frame, "enabled": enabled, "rotation": 0, "time": frame / 25} | place | more


def region(*sequence: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """A region as the page sends it."""
    value = {"framesCount": FRAMES, "duration": FRAMES / 25, "sequence": list(sequence), "labels": ["Cat"]}
    names = {"id": "95d_s9Ua48", "from_name": "box", "to_name": "video", "type": "videorectangle", "origin": "manual"}
    return {"value": value} | names | more


def walk(first: int, last: int, lost: range = range(0)) -> dict[int, Box | None]:
    """A box that walks a pixel per frame."""
    return {t: None if t in lost else Box(40.0 + t, 20, 80.0 + t, 50) for t in range(first, last + 1)}


def known(boxes: Mapping[int, Box | None], note: str = "") -> Known:
    return Known(boxes, SIZE, rate=25.0, frame_count=FRAMES, score=0.9, note=note)


def written(item: Mapping[str, Any], boxes: Mapping[int, Box | None], note: str = "") -> dict[str, Any]:
    """The answer for one region, through JSON as it goes to the page and comes back."""
    (drawn,) = read_objects([item])
    answer: dict[str, Any] = json.loads(json.dumps(write_region(drawn, known(boxes, note))))
    return answer


def shown(item: Mapping[str, Any], frame: int) -> Box | None:
    """What the page draws on a frame: Label Studio's own rules, from its source."""
    sequence = item["value"]["sequence"]
    before = [it for it in sequence if it["frame"] <= frame]
    if not before or not (before[-1]["enabled"] or before[-1]["frame"] == frame):
        return None
    prev, after = before[-1], next((it for it in sequence if it["frame"] > frame), None)
    share = 0.0 if after is None else (frame - prev["frame"]) / (after["frame"] - prev["frame"])
    x, y, width, height = (
        prev[name] + share * ((after or prev)[name] - prev[name]) for name in ("x", "y", "width", "height")
    )
    return Box(x * 4, y, (x + width) * 4, y + height)


def test_a_drawn_box_becomes_a_track_of_the_same_region() -> None:
    answer = written(region(keyframe(1)), walk(1, FRAMES))
    assert {name: answer[name] for name in ("id", "from_name", "to_name", "type")} == {
        "id": "95d_s9Ua48", "from_name": "box", "to_name": "video", "type": "videorectangle",
    }  # fmt: skip
    value = answer["value"]
    assert (value["framesCount"], value["duration"], value["labels"]) == (FRAMES, 0.8, ["Cat"])
    assert value["sequence"][0] == keyframe(1)
    last = value["sequence"][-1]
    assert (last["frame"], last["time"], last["enabled"]) == (FRAMES, FRAMES / 25, True)
    assert (last["x"], last["y"], last["width"], last["height"]) == (15.0, 20.0, 10.0, 30.0)


def test_a_straight_walk_needs_few_keyframes() -> None:
    assert [it["frame"] for it in written(region(keyframe(1, x=10.25)), walk(1, FRAMES))["value"]["sequence"]] == [
        1,
        20,
    ]


@given(st.lists(st.none() | st.integers(0, 300), min_size=FRAMES, max_size=FRAMES), st.sets(st.integers(1, FRAMES)))
def test_the_page_draws_every_box_and_nothing_where_it_is_lost(places: list[int | None], by_hand: set[int]) -> None:
    """On frames that a person set, it is the person's; elsewhere at least IoU .95."""
    boxes = {t: None if x is None else Box(x, 20, x + 40, 50) for t, x in enumerate(places, start=1)}
    hands = {frame: keyframe(frame) for frame in by_hand or {1}}
    answer = written(region(*hands.values()), boxes)
    for frame in range(min(hands), FRAMES + 1):
        there, box = shown(answer, frame), boxes[frame]
        if frame in hands:
            assert there == Box(40, 20, 80, 50)
        elif box is not None:
            assert there is not None
            assert box_iou(there, box) >= 0.949
        elif frame - 1 not in hands:  # a person's word holds on its own frame; what follows may end one frame later
            assert there is None


@given(st.lists(st.none() | st.integers(0, 300), min_size=FRAMES, max_size=FRAMES), st.sets(st.integers(1, FRAMES)))
def test_asking_again_asks_the_same(places: list[int | None], by_hand: set[int]) -> None:
    """Of a track that comes back, only what the person set is a prompt, so it is looked up and not tracked anew."""
    boxes = {t: None if x is None else Box(x, 20, x + 40, 50) for t, x in enumerate(places, start=1)}
    asked = region(*(keyframe(frame) for frame in sorted(by_hand or {1})))
    (first,), (second,) = read_objects([asked]), read_objects([written(asked, boxes)])
    assert first.keyframes == second.keyframes


def test_what_a_person_changed_since_is_a_prompt() -> None:
    """The page copies keys of the next keyframe into a new one when a box is moved between two."""
    answer = written(region(keyframe(1)), walk(1, FRAMES, lost=range(8, 12)))
    sequence = answer["value"]["sequence"]
    assert [(it["frame"], it["enabled"]) for it in sequence] == [(1, True), (7, False), (12, True), (20, True)]
    sequence.insert(1, {**sequence[1], **keyframe(4, x=30.0)})
    sequence[2] = sequence[2] | {"enabled": True}
    (drawn,) = read_objects([answer])
    assert [(it.frame, it.goes_on) for it in drawn.keyframes] == [(1, True), (4, True), (7, True)]
    assert drawn.is_tracked


def test_where_a_person_ends_an_object_it_stays_away() -> None:
    answer = written(region(keyframe(3), keyframe(9, enabled=False), keyframe(15)), walk(1, FRAMES))
    assert [frame for frame in range(3, FRAMES + 1) if shown(answer, frame) is None] == [10, 11, 12, 13, 14]


def test_a_track_that_is_not_whole_ends_where_it_is_known() -> None:
    answer = written(region(keyframe(1)), walk(1, 12), note="tracked on 12 of 20 pictures")
    assert [frame for frame in range(1, FRAMES + 1) if shown(answer, frame) is None] == list(range(13, 21))
    assert answer["meta"]["text"] == "ClickMask: tracked on 12 of 20 pictures"


def test_the_note_goes_and_a_persons_own_stays() -> None:
    asked = region(keyframe(1), meta={"text": ["a red one", "ClickMask: tracked on 3 of 20 pictures"]})
    assert written(asked, walk(1, FRAMES))["meta"]["text"] == "a red one"
    assert "meta" not in written(region(keyframe(1), meta={"text": "ClickMask: waits"}), walk(1, FRAMES))


def test_a_keyframe_beyond_the_video_stays_and_does_no_harm() -> None:
    answer = written(region(keyframe(10**12, enabled=False), keyframe(3)), walk(1, FRAMES))
    assert [it["frame"] for it in answer["value"]["sequence"]] == [1, 2, 3, 4, 20, 10**12]


def test_a_turned_box_is_kept_and_the_track_is_upright() -> None:
    answer = written(region(keyframe(5, rotation=30)), walk(1, FRAMES))
    turned = [(it["frame"], it["rotation"]) for it in answer["value"]["sequence"] if 4 <= it["frame"] <= 6]
    assert turned == [(4, 0), (5, 30), (6, 0)]
    box = SetKeyframe(1, (50.0, 20.0, 10.0, 30.0, 90.0), True).box(SIZE)
    assert box.xyxy == pytest.approx((170, 20, 200, 60))


def test_regions_that_are_nobodys_are_passed_over() -> None:
    """Another model's prediction that nobody touched, and regions that are no boxes."""
    others = [region(keyframe(1), origin="prediction"), {"type": "choices", "value": {"choices": ["a"]}}]
    assert read_objects(others) == []
    ours = written(region(keyframe(1)), walk(1, FRAMES)) | {"origin": "prediction"}
    assert [it.keyframes[0].frame for it in read_objects([ours])] == [1]


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (region() | {"value": {}}, "has no list of keyframes"),
        (region(keyframe(0)), "frame is 0, wanted a whole number from 1"),
        (region(keyframe(1) | {"frame": True}), "frame is True"),
        (region(keyframe(1) | {"width": None}), "got None for 'width' of a keyframe"),
        (region("frame"), "has no list of keyframes"),  # type: ignore[arg-type]
    ],
)
def test_malformed_regions_are_refused(item: dict[str, Any], message: str) -> None:
    with pytest.raises(RequestError, match=message):
        read_objects([item])
