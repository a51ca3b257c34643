"""The label configs that ship: the backend finds their prompts and answers, the README describes them all."""

from __future__ import annotations

from pathlib import Path

import pytest

import clickmask.plugin.labels
from clickmask.plugin.errors import StudioError
from clickmask.plugin.labels import label_config, label_config_names
from clickmask.plugin.projects.label_config import VideoTag, read_label_config

ANSWERS = {
    "bitmask": ["Bitmask"],
    "box": ["Rectangle"],
    "brush": ["Brush"],
    "ellipse": ["Ellipse"],
    "everything": ["Polygon", "Brush", "Rectangle"],
    "keypoint": ["KeyPoint"],
    "polygon": ["Polygon"],
    "vector": ["Vector"],
}
IMAGES = [name for name in label_config_names() if name != "video"]


@pytest.mark.parametrize("name", IMAGES)
def test_a_config_has_a_click_and_a_box_to_point_with_and_tags_to_answer_with(name: str) -> None:
    config = read_label_config(label_config(name))
    assert [control.kind for control in config.controls if control.smart] == ["KeyPoint", "Rectangle"]
    assert [control.kind for control in config.answering("image")] == ANSWERS[name]
    assert config.images == {"image": "$image"}


@pytest.mark.parametrize("name", IMAGES)
def test_every_tag_of_a_config_offers_the_same_labels(name: str) -> None:
    """A prompt's label is the answer's label, so a tag without it would stay empty."""
    controls = read_label_config(label_config(name)).controls
    assert {tuple(label.value for label in control.labels) for control in controls} == {("Animal", "Building", "Thing")}


def test_the_video_config_has_a_video_to_draw_boxes_on() -> None:
    config = read_label_config(label_config("video"))
    assert config.videos == {"video": VideoTag("video", "$video", "25", ("box",))}
    assert (config.controls, config.images) == ((), {})


def test_the_readme_describes_every_config() -> None:
    readme = (Path(clickmask.plugin.labels.__file__).parent / "README.md").read_text()
    assert [name for name in label_config_names() if f"`{name}.xml`" not in readme] == []


def test_an_unknown_config_is_refused() -> None:
    with pytest.raises(StudioError, match="unknown label config 'voxel', wanted one of bitmask, box"):
        label_config("voxel")
