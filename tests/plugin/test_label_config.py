"""Label configs as people write them: repeated tags, aliases, references into the task, and what is none of ours."""

from __future__ import annotations

import pytest

from clickmask.plugin.errors import RequestError
from clickmask.plugin.projects.label_config import LabelConfig, read_label_config

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
    assert config.controls[0].labels == ("c",)


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
    assert config.controls[0].labels == (name,)


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
