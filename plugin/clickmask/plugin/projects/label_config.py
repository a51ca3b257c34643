"""A project's label config, read once: which tags take prompts, which hold answers, where the image is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from label_studio_sdk.label_interface import LabelInterface

from clickmask.plugin.errors import RequestError
from clickmask.plugin.projects.video_config import VideoTag, read_video_tags
from clickmask.plugin.protocol.task_values import has_repeater, unrolled

ANSWER_TAGS = ("Brush", "Bitmask", "Polygon", "Vector", "Rectangle", "Ellipse", "KeyPoint")
"""Kinds of regions, the ones that keep most of a mask's shape first."""

_OUTLINES = ("Brush", "Bitmask", "Polygon", "Vector")
_BOXES = ("Rectangle", "Ellipse")


@dataclass(frozen=True, slots=True)
class Control:
    """One control tag of an image.

    Args:
        name: The tag's name, ``from_name`` of its regions.
        to_name: Name of the image tag it draws on.
        kind: One of ``ANSWER_TAGS``.
        labelled: Whether the tag carries its own labels (BrushLabels) or not (Brush).
        labels: The labels it offers; empty where the task brings them.
        smart: Whether it is a tool that asks the backend.
    """

    name: str
    to_name: str
    kind: str
    labelled: bool
    labels: tuple[str, ...]
    smart: bool

    def offers(self, labels: tuple[str, ...]) -> bool:
        """Whether a region of this tag may carry these labels."""
        return not self.labels or set(labels) <= set(self.labels)


@dataclass(frozen=True, slots=True)
class LabelConfig:
    """What the backend needs to know of a label config.

    Args:
        controls: The tags whose regions can come from a mask, in the config's order.
        images: Image tag name -> where the task's data hold it, such as "$image".
        label_tags: Image tag name -> name of its separate <Labels> tag, for tags without own labels.
        repeating: The config's text if it has a <Repeater>, whose tags depend on the task; else "".
        videos: The videos that boxes are drawn on, by name.
    """

    controls: tuple[Control, ...]
    images: dict[str, str]
    label_tags: dict[str, str]
    repeating: str = ""
    videos: Mapping[str, VideoTag] = field(default_factory=dict)

    def of(self, task: Mapping[str, Any]) -> LabelConfig:
        """The config with one copy of a <Repeater>'s tags per item of this task.

        Raises:
            RequestError: If the copies make no label config.
        """
        data = task.get("data")
        if not self.repeating or not isinstance(data, Mapping):
            return self
        try:
            return _read(unrolled(self.repeating, data))
        except Exception as error:
            raise _unreadable(error) from error

    def answering(self, to_name: str, chosen: tuple[str, ...] = ()) -> tuple[Control, ...]:
        """The tags of one image that hold answers.

        Tags marked ``smart`` are where prompts are drawn, so the others hold the answers. Where
        all are smart, outlines answer; without outlines boxes; without boxes key points.

        Args:
            to_name: The image tag.
            chosen: Names of tags to use instead of this rule.
        """
        here = tuple(control for control in self.controls if control.to_name == to_name)
        if chosen:
            return tuple(control for control in here if control.name in chosen)
        plain = tuple(control for control in here if not control.smart)
        return plain or _of_kind(here, _OUTLINES) or _of_kind(here, _BOXES) or here


def read_label_config(text: str) -> LabelConfig:
    """Read a label config.

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
        config = _read(text)
    except Exception as error:
        raise _unreadable(error) from error
    return replace(config, repeating=text) if has_repeater(text) else config


def _read(text: str) -> LabelConfig:
    interface = LabelInterface(text)
    images = {tag.name: _source(tag.attr) for tag in interface.objects if tag.tag == "Image"}
    controls = tuple(_control(tag) for tag in interface.controls if _kind(tag.tag) and tag.to_name[0] in images)
    label_tags = {tag.to_name[0]: tag.name for tag in interface.controls if tag.tag == "Labels"}
    return LabelConfig(controls, images, label_tags, videos=read_video_tags(text))


def _unreadable(error: Exception) -> RequestError:
    """The SDK raises its own errors, lxml's and plain KeyErrors for the many ways a config can be broken."""
    return RequestError(f"the label config cannot be read: {error}")


def _control(tag: LabelInterface) -> Control:
    return Control(
        name=tag.name,
        to_name=tag.to_name[0],
        kind=_kind(tag.tag),
        labelled=tag.tag.endswith("Labels"),
        labels=() if tag.dynamic_value else tuple(tag.labels),
        smart="true" in (tag.attr.get("smart"), tag.attr.get("smartonly"), tag.attr.get("smartOnly")),
    )


def _kind(tag: str) -> str:
    """The kind of a tag, "" for tags that are not drawn on an image."""
    kind = tag.removesuffix("Labels")
    return kind if kind in ANSWER_TAGS else ""


def _source(attributes: dict[str, str]) -> str:
    return attributes.get("value") or attributes.get("valueList") or ""


def _of_kind(controls: tuple[Control, ...], kinds: tuple[str, ...]) -> tuple[Control, ...]:
    return tuple(control for control in controls if control.kind in kinds)
