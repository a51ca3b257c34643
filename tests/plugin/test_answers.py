"""Masks as regions of every kind of tag."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from clickmask.decoder.formats.label_studio import result_to_mask
from clickmask.decoder.shapes import mask_iou
from clickmask.plugin.clicks.answers import answer_regions
from clickmask.plugin.clicks.prompts import RegionPrompt, label_only_prompt
from clickmask.plugin.errors import RequestError
from clickmask.plugin.labels import label_config
from clickmask.plugin.projects.label_config import read_label_config
from clickmask.plugin.projects.options import ProjectOptions, read_options
from tests.plugin.conftest import recorded


def blob() -> NDArray[np.bool_]:
    """A ring with a hole, and a loose part."""
    rows, columns = np.mgrid[:120, :160]
    distance = np.hypot(rows - 60, columns - 80)
    mask: NDArray[np.bool_] = (distance < 40) & (distance > 10)
    mask[5:10, 5:15] = True
    return mask


def config(*tags: str, labels: str = '<Label value="Cat"/><Label value="Dog"/>') -> str:
    """A label config with these answering tags."""
    controls = "".join(f'<{tag} name="{tag.lower()}" toName="image">{labels}</{tag}>' for tag in tags)
    return f'<View><Image name="image" value="$image"/>{controls}</View>'


def answers(text: str, *, label: str = "Cat", options: ProjectOptions | None = None) -> list[dict[str, Any]]:
    """The regions for the blob."""
    drawn = label_only_prompt("image", label)
    return answer_regions(blob(), 0.87654, drawn, read_label_config(text), options or ProjectOptions())


LABELLED = (
    "BrushLabels",
    "BitmaskLabels",
    "PolygonLabels",
    "VectorLabels",
    "RectangleLabels",
    "EllipseLabels",
    "KeyPointLabels",
)


@pytest.mark.parametrize("tag", LABELLED)
def test_every_kind_of_tag_is_answered(tag: str) -> None:
    region = answers(config(tag))[0]
    assert (region["type"], region["from_name"], region["score"]) == (tag.lower(), tag.lower(), 0.8765)
    assert region["value"][tag.lower()] == ["Cat"]
    assert mask_iou(result_to_mask(region), blob()) > (0.8 if tag[0] in "BPV" else 0)


def test_several_tags_are_answered_at_once() -> None:
    types = [region["type"] for region in answers(config(*LABELLED).replace("toName", 'smart="false" toName'))]
    assert set(types) == {tag.lower() for tag in LABELLED}


@pytest.mark.parametrize("tag", ["BrushLabels", "BitmaskLabels"])
def test_pixels_are_exact(tag: str) -> None:
    assert np.array_equal(result_to_mask(answers(config(tag))[0]), blob())


def united(regions: list[dict[str, Any]]) -> NDArray[np.bool_]:
    """All regions together."""
    return np.any([result_to_mask(region) for region in regions], axis=0)  # type: ignore[no-any-return]


def test_polygons_are_exact_on_request() -> None:
    exact = answers(config("PolygonLabels"), options=ProjectOptions(min_iou=1.0))
    simple = answers(config("PolygonLabels"), options=ProjectOptions(min_iou=0.9))
    assert np.array_equal(united(exact), blob())
    assert 0.9 <= mask_iou(united(simple), blob()) < 1
    assert sum(len(region["value"]["points"]) for region in simple) < 60


def test_parts_of_one_object_belong_together() -> None:
    first, second = answers(config("PolygonLabels"))
    assert second["parentID"] == first["id"]


def test_a_tag_without_the_label_is_left_out() -> None:
    assert answers(config("BrushLabels"), label="Horse") == []


def test_a_tag_with_a_single_other_label_is_left_out() -> None:
    """Classes as polygons, and one brush to leave parts out: every click on a Cat also drew an "Ignore" region."""
    text = (
        '<View><Image name="image" value="$image"/><KeyPointLabels name="k" toName="image" smart="true">'
        '<Label value="Cat"/><Label value="Dog"/></KeyPointLabels><PolygonLabels name="poly" toName="image">'
        '<Label value="Cat"/><Label value="Dog"/></PolygonLabels><BrushLabels name="ignore" toName="image">'
        '<Label value="Ignore"/></BrushLabels></View>'
    )
    assert {region["from_name"] for region in answers(text)} == {"poly"}
    assert {region["from_name"] for region in answers(text, label="Ignore")} == {"ignore"}
    assert answers(text, label="") == []


def test_without_a_label_the_images_only_one_is_meant() -> None:
    only = config("BrushLabels", labels='<Label value="Thing"/>')
    assert answers(only, label="")[0]["value"]["brushlabels"] == ["Thing"]
    assert answers(only, label="Cat") == []


def test_where_nothing_is_marked_smart_the_prompts_own_tag_does_not_answer() -> None:
    """Label Studio shows smart tools for such tags all the same; a click gave a key point beside the mask."""
    assert [region["type"] for region in answers(config("KeyPointLabels", "BrushLabels"))] == ["brushlabels"]


@pytest.mark.parametrize(("point", "mask", "sent"), [(' alias="c"', "", "c"), ("", ' alias="c"', "Cat")])
def test_an_alias_on_one_side_only_is_translated(point: str, mask: str, sent: str) -> None:
    text = (
        '<View><Image name="image" value="$image"/><KeyPointLabels name="k" toName="image" smart="true">'
        f'<Label value="Cat"{point}/></KeyPointLabels><BrushLabels name="b" toName="image">'
        f'<Label value="Dog"/><Label value="Cat"{mask}/></BrushLabels></View>'
    )
    assert answers(text, label=sent)[0]["value"]["brushlabels"] == ["c" if mask else "Cat"]


def test_of_two_labels_tags_the_one_that_offers_the_label_gets_it() -> None:
    text = (
        '<View><Image name="image" value="$image"/><Brush name="b" toName="image"/>'
        '<Labels name="l" toName="image"><Label value="Cat"/></Labels>'
        '<Labels name="m" toName="image"><Label value="X"/></Labels></View>'
    )
    assert [(item["type"], item["from_name"]) for item in answers(text)] == [("brush", "b"), ("labels", "l")]
    assert [item["from_name"] for item in answers(text, label="X")] == ["b", "m"]
    assert answers(text, label="Dog") == []
    assert [item["from_name"] for item in answers(text, label="")] == ["b"]


def test_labels_that_the_task_brings_are_taken_over() -> None:
    dynamic = '<View><Image name="image" value="$image"/><BrushLabels name="b" toName="image" value="$labels"/></View>'
    assert answers(dynamic, label="Yak")[0]["value"]["brushlabels"] == ["Yak"]


def test_a_tag_without_labels_goes_with_the_labels_tag() -> None:
    text = (
        '<View><Image name="image" value="$image"/><Rectangle name="box" toName="image"/>'
        '<Labels name="label" toName="image"><Label value="Cat"/></Labels></View>'
    )
    box, label = answers(text)
    assert (box["type"], label["type"], label["from_name"]) == ("rectangle", "labels", "label")
    assert box["id"] == label["id"]
    assert label["value"]["labels"] == ["Cat"]


def test_prompt_tools_hold_no_answers() -> None:
    text = recorded("click")["label_config"]
    types = [control.kind for control in read_label_config(text).answering("image")]
    assert types == ["Polygon"]


@pytest.mark.parametrize("name", ["bitmask", "box", "brush", "ellipse", "everything", "keypoint", "polygon", "vector"])
def test_our_own_label_configs_are_answered(name: str) -> None:
    assert answers(label_config(name), label="Thing")


def test_where_every_tag_is_smart_outlines_answer() -> None:
    text = config("KeyPointLabels", "RectangleLabels", "BrushLabels").replace("toName", 'smart="true" toName')
    assert [region["type"] for region in answers(text)] == ["brushlabels"]


def test_the_answering_tags_can_be_named() -> None:
    chosen = answers(config(*LABELLED), options=ProjectOptions(answer=("ellipselabels", "brushlabels")))
    assert [region["type"] for region in chosen] == ["brushlabels", "ellipselabels"]


def test_answers_go_to_the_image_that_was_clicked() -> None:
    text = (
        '<View><Image name="left" value="$a"/><Image name="right" value="$b"/>'
        '<BrushLabels name="l" toName="left"><Label value="Cat"/></BrushLabels>'
        '<BrushLabels name="r" toName="right"><Label value="Cat"/></BrushLabels></View>'
    )
    drawn = RegionPrompt("right", ("Cat",), (), None, image_rotation=270, item_index=2)
    (region,) = answer_regions(blob(), 0.9, drawn, read_label_config(text), ProjectOptions())
    assert (region["from_name"], region["to_name"]) == ("r", "right")
    assert (region["image_rotation"], region["item_index"]) == (270, 2)


def test_a_low_score_is_no_answer() -> None:
    assert answers(config("BrushLabels"), options=ProjectOptions(min_score=0.9)) == []


def test_masks_are_cleaned() -> None:
    options = ProjectOptions(fill_holes_px=1000, drop_specks_px=100)
    (region,) = answers(config("BrushLabels"), options=options)
    mask = result_to_mask(region)
    assert mask[60, 80]
    assert not mask[7, 7]
    (largest,) = answers(config("BrushLabels"), options=ProjectOptions(largest_part=True))
    assert not result_to_mask(largest)[7, 7]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ("{", "no JSON"),
        ([1], "wanted a JSON object"),
        ({"speed": 1}, "'speed' is unknown"),
        ({"model": "/etc/passwd"}, "wanted one of nano"),
        ({"rule": "best"}, "wanted one of auto, iou, stability"),
        ({"min_iou": 0}, "wanted a number from 0.5 to 1"),
        ({"min_iou": True}, "wanted a number"),
        ({"drop_specks_px": -1}, "wanted a number from 0"),
        ({"largest_part": "yes"}, "wanted true or false"),
        ({"answer": "brush"}, "wanted a list of tag names"),
        ({"label": 3}, "wanted text"),
        ({"prelabel": "some"}, "wanted one of off, prompts, everything, like these"),
        ({"labels": {"Road": 3}}, "wanted an object of options by label"),
        ({"labels": {"Road": {"model": "nano"}}}, "'model' of label 'Road' is unknown, wanted one of rule"),
        ({"labels": {"Road": {"min_iou": 3}}}, "min_iou of label 'Road' is 3, wanted a number from 0.5 to 1"),
    ],
)
def test_wrong_options_are_told(params: object, message: str) -> None:
    with pytest.raises(RequestError, match=f"extra params.*{message}"):
        read_options(params)


@pytest.mark.parametrize("params", [None, "", {}, "{}"])
def test_no_options_are_the_defaults(params: object) -> None:
    assert read_options(params) == ProjectOptions()


def test_options_keep_their_old_names_for_one_release(caplog: pytest.LogCaptureFixture) -> None:
    options = read_options({"closely": False, "refine": False})
    assert (options.zoom, options.chain) == (False, False)
    assert "closely is called zoom now" in caplog.text
    assert "refine is called chain now" in caplog.text
