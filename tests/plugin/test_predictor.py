"""Recorded requests of a real Label Studio, answered end to end; only the neural network is a stand-in."""

from __future__ import annotations

import copy
import io
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import pytest
from PIL import Image

from clickmask.decoder import Answer, ImageSource, MaskRule, Prompt
from clickmask.decoder.formats.label_studio import result_to_mask
from clickmask.plugin.build import Backend
from clickmask.plugin.errors import RequestError
from clickmask.plugin.projects.options import ProjectOptions
from tests.plugin.conftest import RECORDED_IMAGE, Body, picture, recorded, setup_body
from tests.plugin.studio_server import Studio


def answer(backend: Backend, name: str) -> Body:
    """The one prediction for a recorded request."""
    (prediction,) = backend.predictor.predict(recorded(name)).body["results"]
    return prediction  # type: ignore[no-any-return]


def test_a_click_is_answered_in_the_tag_that_holds_answers(backend: Backend) -> None:
    prediction = answer(backend, "click")
    (region,) = prediction["result"]
    assert (region["type"], region["from_name"], region["to_name"]) == ("polygonlabels", "polygon", "image")
    assert region["value"]["polygonlabels"] == ["Animal"]
    assert (region["original_width"], region["original_height"]) == (502, 343)
    assert prediction["score"] == pytest.approx(0.9) == region["score"]
    assert prediction["model_version"] == "clickmask-nano"
    mask = result_to_mask(region)
    assert mask[int(0.452 * 343), int(0.5005 * 502)]


def test_candidates_are_all_masks_that_differ_the_chosen_first(backend: Backend, studio: Studio) -> None:
    backend.predictor.setup(setup_body(studio, extra_params={"candidates": True}))
    regions = answer(backend, "click")["result"]
    assert [region["score"] for region in regions] == pytest.approx([0.9, 0.7, 0.6])
    assert len({region["id"] for region in regions}) == 3
    chosen, smaller, larger = (result_to_mask(region).sum() for region in regions)
    assert 2 * smaller < chosen < larger / 2


def test_candidates_can_be_wanted_for_one_label(backend: Backend, studio: Studio) -> None:
    backend.predictor.setup(setup_body(studio, extra_params={"labels": {"Animal": {"candidates": True}}}))
    assert len(answer(backend, "click")["result"]) == 3
    backend.predictor.setup(setup_body(studio, extra_params={"labels": {"Building": {"candidates": True}}}))
    assert len(answer(backend, "click")["result"]) == 1


def test_an_alt_click_takes_away(backend: Backend) -> None:
    body = recorded("click_and_alt_click")
    click, alt_click = body["params"]["context"]["result"]
    alt_click["value"] |= {"x": click["value"]["x"] + 5, "y": click["value"]["y"]}
    whole = result_to_mask(answer(backend, "click")["result"][0])
    (prediction,) = backend.predictor.predict(body).body["results"]
    rest = result_to_mask(prediction["result"][0])
    assert 0 < rest.sum() < whole.sum()
    assert not rest[int(0.452 * 343), int(0.5505 * 502)]


def test_points_of_earlier_objects_are_no_prompts(backend: Backend) -> None:
    """After a reload the context still holds the first object's points, without ``is_positive``."""
    (region,) = answer(backend, "click_beside_old_points")["result"]
    mask = result_to_mask(region)
    assert mask[int(0.164 * 343), int(0.787 * 502)]
    assert not mask[int(0.452 * 343), int(0.5005 * 502)]


def test_a_box_is_answered(backend: Backend) -> None:
    (region,) = answer(backend, "box")["result"]
    mask = result_to_mask(region)
    assert mask.mean() == pytest.approx(0.604 * 0.402, abs=0.01)


def test_opening_a_task_is_answered_at_once_with_nothing(backend: Backend) -> None:
    assert backend.predictor.predict(recorded("task_opened")).body == {"results": [[]]}


def turned_webp() -> bytes:
    """A WebP of 343x502 whose EXIF says that it lies on its side; Chromium shows it as it is stored."""
    exif = Image.Exif()
    exif[0x0112] = 6
    stream = io.BytesIO()
    Image.new("RGB", (343, 502), (120, 120, 120)).save(stream, "WEBP", exif=exif)
    return stream.getvalue()


@pytest.mark.parametrize(("width", "height"), [(343, 502), (502, 343)])
def test_a_picture_is_turned_as_the_page_shows_it(backend: Backend, studio: Studio, width: int, height: int) -> None:
    studio.files[RECORDED_IMAGE] = turned_webp()
    body = recorded("click")
    body["params"]["context"]["result"][0] |= {"original_width": width, "original_height": height}
    (region,) = backend.predictor.predict(body).body["results"][0]["result"]
    assert (region["original_width"], region["original_height"]) == (width, height)


def test_another_picture_than_the_pages_is_refused(backend: Backend) -> None:
    body = recorded("click")
    body["params"]["context"]["result"][0] |= {"original_width": 100, "original_height": 100}
    with pytest.raises(RequestError, match="a picture of 100x100 pixels, the backend has one of 502x343"):
        backend.predictor.predict(body)


def test_a_lone_alt_click_is_an_empty_result(backend: Backend) -> None:
    body = recorded("click")
    body["params"]["context"]["result"][0]["is_positive"] = False
    assert backend.predictor.predict(body).body["results"][0]["result"] == []
    assert backend.predictor.predict(body).log_fields["prompt"] == "none"


def test_nothing_drawn_is_an_empty_result(backend: Backend) -> None:
    """Deleting the last prompt sends an empty context; an empty list would be an error to Label Studio."""
    body = recorded("click")
    body["params"]["context"] = {"result": []}
    (prediction,) = backend.predictor.predict(body).body["results"]
    assert prediction["result"] == []


def test_an_empty_mask_is_an_empty_result(backend: Backend) -> None:
    body = recorded("click")
    body["params"]["context"]["result"].append(copy.deepcopy(body["params"]["context"]["result"][0]))
    body["params"]["context"]["result"][1]["is_positive"] = False
    (prediction,) = backend.predictor.predict(body).body["results"]
    assert prediction["result"] == []


def test_region_ids_are_long_and_unique(backend: Backend) -> None:
    ids = {answer(backend, "click")["result"][0]["id"] for _ in range(50)}
    assert len(ids) == 50
    assert min(map(len, ids)) >= 10


def test_the_image_is_fetched_once_for_all_projects(backend: Backend, studio: Studio) -> None:
    answer(backend, "click")
    body = recorded("click") | {"project": "2.1795219950"}
    backend.predictor.setup(setup_body(studio, project="2.1795219950"))
    backend.predictor.predict(body)
    assert len(studio.asked(RECORDED_IMAGE)) == 1


def test_the_second_click_needs_no_encoding(backend: Backend) -> None:
    assert backend.predictor.predict(recorded("click")).log_fields["cache"] == "miss"
    assert backend.predictor.predict(recorded("click_and_alt_click")).log_fields["cache"] == "hit"


def test_percent_is_not_truncated_to_whole_pixels(backend: Backend) -> None:
    """Two clicks within one pixel of a 502 px wide image are different prompts."""
    body = recorded("click")
    shifted = copy.deepcopy(body)
    shifted["params"]["context"]["result"][0]["value"]["x"] += 0.1
    first = result_to_mask(backend.predictor.predict(body).body["results"][0]["result"][0])
    second = result_to_mask(backend.predictor.predict(shifted).body["results"][0]["result"][0])
    assert (first != second).any()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tasks": []}, "0 tasks with a context"),
        ({"tasks": {}}, "tasks is {}, wanted an array"),
        ({"tasks": [{"id": 1, "data": {}}]}, "task 1 has no image"),
        ({"label_config": "<View"}, "the label config cannot be read"),
        ({"params": {"context": {"result": [{"type": "keypointlabels"}]}}}, "wanted a region with a value"),
        ({"params": {"context": []}}, "'context': the record is [], wanted an object"),
    ],
)
def test_a_broken_request_is_told_what_is_wrong(backend: Backend, change: Body, message: str) -> None:
    with pytest.raises(RequestError) as error:
        backend.predictor.predict(recorded("click") | change)
    assert message in str(error.value)


def test_setup_refuses_unknown_params(backend: Backend, studio: Studio) -> None:
    with pytest.raises(RequestError, match="'rules' is unknown"):
        backend.predictor.setup(setup_body(studio, extra_params={"rules": "iou"}))


def test_options_survive_a_restart(make_backend: Callable[..., Backend], studio: Studio) -> None:
    """The page stays open while the backend restarts: no new /setup, and the token is gone, but the image is cached."""
    first = make_backend()
    first.predictor.setup(setup_body(studio, extra_params={"answer": ["box"]}))
    assert answer(first, "click")["result"][0]["type"] == "rectanglelabels"
    second = make_backend()
    assert answer(second, "click")["result"][0]["type"] == "rectanglelabels"


def test_pictures_of_two_projects_are_not_mixed(backend: Backend, studio: Studio) -> None:
    """A brighter image has larger discs."""
    studio.files["/data/upload/1/other.png"] = picture(brightness=250)
    body = recorded("click")
    body["tasks"][0]["data"]["image"] = "/data/upload/1/other.png"
    dark = result_to_mask(answer(backend, "click")["result"][0]).sum()
    bright = result_to_mask(backend.predictor.predict(body).body["results"][0]["result"][0]).sum()
    assert bright > dark


def test_zoom_is_an_option(backend: Backend, studio: Studio) -> None:
    whole = result_to_mask(answer(backend, "click")["result"][0])
    backend.predictor.setup(setup_body(studio, extra_params={"zoom": True}))
    (prediction,) = backend.predictor.predict(recorded("click")).body["results"]
    closer = result_to_mask(prediction["result"][0])
    assert closer[int(0.452 * 343), int(0.5005 * 502)]
    assert (closer != whole).any()


def test_a_label_may_want_something_else_than_its_project(backend: Backend, studio: Studio) -> None:
    whole = answer(backend, "click")["result"]
    wanted = {"min_iou": 0.5, "labels": {"Animal": {"answer": ["box"]}, "Building": {"min_score": 1}}}
    backend.predictor.setup(setup_body(studio, extra_params=wanted))
    assert (whole[0]["type"], answer(backend, "click")["result"][0]["type"]) == ("polygonlabels", "rectanglelabels")


def test_options_are_documented() -> None:
    text = (Path(__file__).parents[2] / "docs" / "backend.md").read_text(encoding="utf-8")
    for option in fields(ProjectOptions):
        assert f"`{option.name}`" in text


def test_a_project_that_does_not_chain_disturbs_none_that_does(
    backend: Backend, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its answers start from nothing, so the first one's chain must not take them for its own."""
    body = recorded("click_and_alt_click")
    for item in body["params"]["context"]["result"]:
        item["is_positive"] = True
    third = copy.deepcopy(body["params"]["context"]["result"][0])
    third["value"]["x"] = 80
    more = copy.deepcopy(body)
    more["params"]["context"]["result"].append(third)
    plain = {"project": "2.2"}
    backend.predictor.setup(setup_body(studio, extra_params={"chain": False}) | plain)
    asked: list[Prompt] = []
    engine = backend.engines.get()
    segment = engine.segment

    def note(image: ImageSource, prompt: Prompt, how: MaskRule) -> Answer:
        asked.append(prompt)
        return segment(image, prompt, how)

    monkeypatch.setattr(engine, "segment", note)
    backend.predictor.predict(body | plain)
    backend.predictor.predict(more)
    assert [(len(prompt.points), prompt.mask_logits is not None) for prompt in asked] == [
        (2, False),
        (1, False),
        (2, True),
        (3, True),
    ]
