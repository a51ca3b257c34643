"""Label configs as people write them: repeated tags, aliases, references into the task, and what is none of ours."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from label_studio_sdk.label_interface import LabelInterface

from clickmask.plugin.errors import RequestError
from clickmask.plugin.projects.label_config import Label, LabelConfig, read_label_config

LABEL = '<Label value="Cat"/>'
CLICK = f'<KeyPointLabels name="click" toName="image" smart="true">{LABEL}</KeyPointLabels>'
MASK = f'<BrushLabels name="mask" toName="image">{LABEL}</BrushLabels>'
IMAGE = '<Image name="image" value="$image"/>'
REPEATED = (
    '<View><Repeater on="$pages" indexFlag="{{n}}"><Image name="page_{{n}}" value="$pages[{{n}}].url"/>'
    f'<KeyPointLabels name="click_{{{{n}}}}" toName="page_{{{{n}}}}" smart="true">{LABEL}</KeyPointLabels>'
    f'<BrushLabels name="mask_{{{{n}}}}" toName="page_{{{{n}}}}">{LABEL}</BrushLabels></Repeater></View>'
)


def answering(config: LabelConfig, to_name: str = "image") -> list[str]:
    """Names of the tags that hold answers."""
    return [control.name for control in config.answering(to_name)]


def test_a_repeater_is_one_copy_of_its_tags_per_item() -> None:
    config = read_label_config(REPEATED)
    two = config.of({"data": {"pages": [{"url": "a.png"}, {"url": "b.png"}]}})
    assert two.images == {"page_0": "$pages[0].url", "page_1": "$pages[1].url"}
    assert answering(two, "page_1") == ["mask_1"]
    assert config.of({"data": {"pages": []}}).images == {}


@pytest.mark.parametrize("pages", [None, "a.png", {"0": "a.png"}, 3])
def test_a_repeater_over_something_else_repeats_nothing(pages: object) -> None:
    assert read_label_config(REPEATED).of({"data": {"pages": pages}}).images == {}


def test_a_config_without_repeater_is_the_same_for_every_task() -> None:
    config = read_label_config(f"<View>{IMAGE}{CLICK}{MASK}</View>")
    assert config.of({"data": {"image": "a.png"}}) is config


def test_an_alias_is_what_the_page_sends_and_saves() -> None:
    config = read_label_config(f"<View>{IMAGE}{MASK}</View>".replace("/></Brush", ' alias="c"/></Brush'))
    assert config.controls[0].labels == (Label("Cat", "c"),)


def test_tags_that_draw_nothing_are_passed_over() -> None:
    """Questions about a region or the image, relations, hidden parts, styles, other media."""
    around = (
        "<Style>.a { color: red }</Style>"
        '<Choices name="ask" toName="image" perRegion="true"><Choice value="a"/></Choices>'
        '<TextArea name="say" toName="image" perRegion="true" whenTagName="mask"/><Rating name="rate" toName="image"/>'
        '<Taxonomy name="tree" toName="image"><Choice value="b"><Choice value="c"/></Choice></Taxonomy>'
        '<Relations><Relation value="is"/></Relations><Text name="text" value="$text"/>'
        '<Labels name="words" toName="text"><Label value="noun"/></Labels>'
    )
    config = read_label_config(f'<View>{around}{IMAGE}{CLICK}<View visibleWhen="region-selected">{MASK}</View></View>')
    assert [control.name for control in config.controls] == ["click", "mask"]
    assert config.images == {"image": "$image"}
    assert answering(config) == ["mask"]


def test_a_hidden_tag_holds_answers() -> None:
    assert answering(read_label_config(f'<View>{IMAGE}{CLICK}<View style="display: none">{MASK}</View></View>')) == [
        "mask"
    ]


def test_a_smart_only_brush_beside_a_plain_one_is_a_prompt() -> None:
    brush = f'<BrushLabels name="hint" toName="image" smartOnly="true">{LABEL}</BrushLabels>'
    assert answering(read_label_config(f"<View>{IMAGE}{CLICK}{brush}{MASK}</View>")) == ["mask"]


def test_labels_may_be_written_in_any_script() -> None:
    name = "猫 🐈 & <b>"
    config = read_label_config(f"<View>{IMAGE}{MASK}</View>".replace("Cat", "猫 🐈 &amp; &lt;b&gt;"))
    assert config.controls[0].labels == (Label(name, name),)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<View>",
        "nonsense",
        '<!DOCTYPE v [<!ENTITY x SYSTEM "file:///etc/passwd">]><View><Header value="&x;"/></View>',
    ],
)
def test_what_is_no_label_config_is_told(text: str) -> None:
    with pytest.raises(RequestError, match="the label config cannot be read"):
        read_label_config(text)


SHAPES = ("Brush", "Bitmask", "Polygon", "Rectangle", "Ellipse", "KeyPoint")
ATTRIBUTES = ("", ' smart="true"', ' smart="false"', ' smartOnly="true"')
LABELS = ('<Label value="A"/>', '<Label value="B &amp; C" alias="b"/>', '<View><Label value="D"/></View>')


@given(
    st.lists(
        st.tuples(
            st.sampled_from(SHAPES),
            st.booleans(),
            st.sampled_from(ATTRIBUTES),
            st.lists(st.sampled_from(LABELS), max_size=3, unique=True),
        ),
        max_size=5,
    )
)
def test_configs_are_read_as_label_studios_own_sdk_reads_them(tags: list[tuple[str, bool, str, list[str]]]) -> None:
    text = f"<View>{IMAGE}"
    for number, (shape, labelled, smart, labels) in enumerate(tags):
        name = f"{shape}Labels" if labelled else shape
        text += f'<{name} name="t{number}" toName="image"{smart}>{"".join(labels) if labelled else ""}</{name}>'
    text += '<Labels name="l" toName="image"><Label value="A"/></Labels></View>'
    ours, theirs = read_label_config(text), LabelInterface(text)
    assert ours.images == {tag.name: tag.attr["value"] for tag in theirs.objects}
    expected = [
        (tag.name, tag.to_name[0], tag.tag.endswith("Labels"), tuple(tag.labels))
        for tag in theirs.controls
        if tag.tag != "Labels"
    ]
    assert [
        (control.name, control.to_name, control.labelled, tuple(label.written for label in control.labels))
        for control in ours.controls
    ] == expected


def test_the_same_text_is_read_once() -> None:
    text = f"<View>{IMAGE}{MASK}</View>"
    assert read_label_config(text) is read_label_config(text)


def test_tags_may_be_written_in_any_case() -> None:
    config = read_label_config(f"<View>{IMAGE}{CLICK}{MASK}</View>".replace("BrushLabels", "brushlabels"))
    assert answering(config) == ["mask"]


def test_a_config_nested_without_end_takes_no_time() -> None:
    config = read_label_config("<View>" * 20_000 + IMAGE + CLICK + MASK + "</View>" * 20_000)
    assert answering(config) == ["mask"]
