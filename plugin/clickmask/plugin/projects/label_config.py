"""A project's label config: which tags take prompts, which hold answers, where image and video are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from clickmask.plugin.errors import RequestError
from clickmask.plugin.protocol.task_values import has_repeater, unrolled

ANSWER_TAGS = ("Brush", "Bitmask", "Polygon", "Vector", "Rectangle", "Ellipse", "KeyPoint")
"""Kinds of regions, the ones that keep most of a mask's shape first."""

_KINDS = {kind.lower(): kind for kind in ANSWER_TAGS}
_OUTLINES = ("Brush", "Bitmask", "Polygon", "Vector")
_BOXES = ("Rectangle", "Ellipse")
_CACHED_CONFIGS = 64


@dataclass(frozen=True, slots=True)
class Label:
    """One label of a tag.

    Args:
        value: Its name in the config, the same in every tag.
        written: Its name in regions: the alias where the tag gives it one.
    """

    value: str
    written: str


@dataclass(frozen=True, slots=True)
class Control:
    """One control tag on one image.

    Args:
        name: The tag's name, ``from_name`` of its regions.
        to_name: Name of the image tag it draws on.
        kind: One of ``ANSWER_TAGS``.
        labelled: Whether the tag carries its own labels (BrushLabels) or not (Brush).
        labels: The labels it offers; empty where the task brings them.
        smart: Whether it is a tool that asks the backend; None where the config does not say.
        only_smart: Whether it is nothing but such a tool.
    """

    name: str
    to_name: str
    kind: str
    labelled: bool
    labels: tuple[Label, ...]
    smart: bool | None
    only_smart: bool = False


@dataclass(frozen=True, slots=True)
class LabelsTag:
    """One <Labels> tag: the labels of the regions of tags without own ones.

    Args:
        name: The tag's name, ``from_name`` of its items.
        to_name: Name of the image tag.
        labels: The labels it offers; empty where the task brings them.
    """

    name: str
    to_name: str
    labels: tuple[Label, ...]


@dataclass(frozen=True, slots=True)
class VideoTag:
    """One <Video> that boxes are drawn on.

    Args:
        name: ``to_name`` of its regions.
        source: Where the task's data hold the video, such as "$video".
        framerate: As it stands in the config; "" for Label Studio's default.
        controls: Names of the <VideoRectangle> tags on it, ``from_name`` of its regions.
    """

    name: str
    source: str
    framerate: str
    controls: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LabelConfig:
    """What the backend needs to know of a label config.

    Args:
        controls: The tags whose regions can come from a mask, in the config's order.
        images: Image tag name -> where the task's data hold it, such as "$image".
        label_tags: The <Labels> tags on images, in the config's order.
        repeating: The config's text if it has a <Repeater>, whose tags depend on the task; else "".
        videos: The videos that boxes are drawn on, by name.
    """

    controls: tuple[Control, ...]
    images: Mapping[str, str]
    label_tags: tuple[LabelsTag, ...]
    repeating: str = ""
    videos: Mapping[str, VideoTag] = field(default_factory=dict)

    def of(self, task: Mapping[str, Any]) -> LabelConfig:
        """Return the config with one copy of a <Repeater>'s tags per item of this task.

        Raises:
            RequestError: If the copies make no label config.
        """
        data = task.get("data")
        if not self.repeating or not isinstance(data, Mapping):
            return self
        try:
            text = unrolled(self.repeating, data)
        except ParseError as error:
            raise RequestError(f"the label config cannot be read: a <Repeater>'s copies are no XML: {error}") from error
        return replace(read_label_config(text), repeating="")

    def answering(self, to_name: str, chosen: tuple[str, ...] = ()) -> tuple[Control, ...]:
        """Choose the tags of one image that hold answers.

        Tags marked ``smart`` are where prompts are drawn, so the others hold the answers. Where all are
        smart, or the config does not say of any, outlines answer; without outlines boxes; without boxes
        key points.

        Args:
            to_name: The image tag.
            chosen: Names of tags to use instead of this rule.
        """
        here = tuple([control for control in self.controls if control.to_name == to_name])
        if chosen:
            return tuple(control for control in here if control.name in chosen)
        if any(control.smart for control in here):
            plain = tuple([control for control in here if not control.smart])
        else:
            plain = tuple(control for control in here if control.smart is False)
        return plain or _of_kind(here, _OUTLINES) or _of_kind(here, _BOXES) or here

    def written(self, tag: Control | LabelsTag, labels: tuple[str, ...]) -> tuple[str, ...] | None:
        """Translate labels into those of another tag of the same image, which may have other aliases.

        Args:
            tag: Where the labels are to be written.
            labels: As some tag of the image wrote them.

        Returns:
            The labels as this tag writes them; None unless it offers all of them.
        """
        if not tag.labels:
            return labels
        own = {label.value: label.written for label in tag.labels}
        own |= {label.written: label.written for label in tag.labels}
        if own.keys() >= set(labels):
            return tuple([own[name] for name in labels])
        values = {label.written: label.value for label in self._labels(tag.to_name)}
        found = [own.get(name) or own.get(values.get(name, name)) for name in labels]
        return tuple(name for name in found if name is not None) if None not in found else None

    def label_tag(self, to_name: str, labels: tuple[str, ...]) -> LabelsTag | None:
        """Find the <Labels> tag of an image that offers these labels."""
        tags = (tag for tag in self.label_tags if tag.to_name == to_name)
        return next((tag for tag in tags if self.written(tag, labels) is not None), None)

    def has_label_tag(self, to_name: str) -> bool:
        """Tell whether an image has a <Labels> tag at all."""
        return any(tag.to_name == to_name for tag in self.label_tags)

    def only_label(self, to_name: str) -> tuple[str, ...]:
        """Return the label of an image that has a single one, which is meant where none is named; else nothing."""
        values = {label.value for label in self._labels(to_name)}
        return tuple(values) if len(values) == 1 else ()

    def _labels(self, to_name: str) -> Iterator[Label]:
        """All labels that an image's tags offer."""
        tags: tuple[Control | LabelsTag, ...] = (*self.controls, *self.label_tags)
        return (label for tag in tags if tag.to_name == to_name for label in tag.labels)


@lru_cache(_CACHED_CONFIGS)
def read_label_config(text: str) -> LabelConfig:
    """Read a label config; the same text is read once.

    Raises:
        RequestError: If the text is no label config.

    Example:
        >>> config = read_label_config(
        ...     '<View><Image name="image" value="$photo"/><KeyPointLabels name="click" toName="image" smart="true">'
        ...     '<Label value="Cat"/></KeyPointLabels><BrushLabels name="mask" toName="image"><Label value="Cat"/>'
        ...     '</BrushLabels></View>'
        ... )
        >>> [control.name for control in config.answering("image")], config.images
        (['mask'], {'image': '$photo'})
    """
    try:
        tags = _read_tags(fromstring(text, forbid_dtd=True))
    except (ParseError, DefusedXmlException) as error:
        raise RequestError(f"the label config cannot be read: {error or type(error).__name__}") from error
    images = {tag.name: tag["value"] or tag["valuelist"] for tag in tags if tag.kind == "image"}
    drawing = [(tag, to_name) for tag in tags for to_name in tag["toname"].split(",") if to_name in images]
    return LabelConfig(
        controls=tuple(_control(tag, to_name) for tag, to_name in drawing if _region_kind(tag)),
        images=images,
        label_tags=tuple(LabelsTag(tag.name, to_name, tag.labels) for tag, to_name in drawing if tag.kind == "labels"),
        repeating=text if has_repeater(text) else "",
        videos=_videos(tags),
    )


@dataclass(frozen=True, slots=True)
class _Tag:
    """An XML tag as Label Studio reads it: names in small letters."""

    kind: str
    attributes: Mapping[str, str]
    labels: tuple[Label, ...]  # offered by the tag itself; empty where the task brings them

    def __getitem__(self, name: str) -> str:
        return self.attributes.get(name, "")

    @property
    def name(self) -> str:
        return self["name"]


def _read_tags(root: Element) -> list[_Tag]:
    """All tags in the config's order, each label with the nearest tag around it that takes labels."""
    labels: dict[Element, list[Label]] = {}
    waiting: list[tuple[Element, list[Label]]] = [(root, [])]
    while waiting:
        element, around = waiting.pop()
        labels[element] = []
        kind = str(element.tag).lower()
        if kind == "label":
            value, alias = element.get("value", ""), element.get("alias", "")
            around += [Label(value or alias, alias or value)] if value or alias else []
        inside = labels[element] if kind.endswith("labels") else around
        waiting += [(child, inside) for child in reversed(element)]
    return [_tag(element, found) for element, found in labels.items()]


def _tag(element: Element, labels: Iterable[Label]) -> _Tag:
    attributes = {name.lower(): value for name, value in element.attrib.items()}
    from_task = attributes.get("value", "").startswith("$") or "apiurl" in attributes
    return _Tag(str(element.tag).lower(), attributes, () if from_task else tuple(labels))


def _control(tag: _Tag, to_name: str) -> Control:
    only_smart = tag["smartonly"].lower() == "true"
    smart = True if only_smart else {"true": True, "false": False}.get(tag["smart"].lower())
    return Control(tag.name, to_name, _region_kind(tag), tag.kind.endswith("labels"), tag.labels, smart, only_smart)


def _region_kind(tag: _Tag) -> str:
    """The kind of a tag's regions, "" for tags that are not drawn on an image."""
    return _KINDS.get(tag.kind.removesuffix("labels"), "")


def _videos(tags: Sequence[_Tag]) -> dict[str, VideoTag]:
    """The videos that have a <VideoRectangle>, by name; other videos hold no boxes."""
    videos = {}
    for tag in tags:
        controls = tuple(it.name for it in tags if it.kind == "videorectangle" and tag.name in it["toname"].split(","))
        if tag.kind == "video" and controls:
            videos[tag.name] = VideoTag(tag.name, tag["value"], tag["framerate"], controls)
    return videos


def _of_kind(controls: tuple[Control, ...], kinds: tuple[str, ...]) -> tuple[Control, ...]:
    return tuple(control for control in controls if control.kind in kinds)
