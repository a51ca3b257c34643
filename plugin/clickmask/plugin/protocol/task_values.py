"""What a label config's "$..." means on one task, as Label Studio's page reads it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

from defusedxml.ElementTree import fromstring

_REFERENCE = re.compile(r"\$[\w\[\].{}]+")
_STEP = re.compile(r"[^.\[\]]+")
_INDEX_FLAG = "{{idx}}"
_MOST_REPEATS = 1_000


def task_value(text: str, data: Mapping[str, Any]) -> Any:
    """Look up a tag's value in a task's data.

    Args:
        text: As it stands in the label config.
        data: The task's data.

    Returns:
        What the data hold where the text is one reference; None if they hold nothing there.
        Other text with its references filled in.

    Example:
        >>> data = {"pages": [{"url": "a.png"}, {"url": "b.png"}], "name": "c"}
        >>> task_value("$pages[1].url", data), task_value("https://host/$name", data), task_value("$photo", data)
        ('b.png', 'https://host/c', None)
    """
    if _REFERENCE.fullmatch(text):
        return _found(data, text[1:])
    return _REFERENCE.sub(lambda reference: str(_found(data, reference[0][1:])), text)


def has_repeater(config: str) -> bool:
    """Whether a label config has a tag that stands for one copy per item of a task."""
    return "<repeater" in config.lower()


def unrolled(config: str, data: Mapping[str, Any]) -> str:
    """A label config with every <Repeater> replaced by its copies for one task.

    Raises:
        xml.etree.ElementTree.ParseError: If the config is no XML.

    Example:
        >>> config = '<View><Repeater on="$pages"><Image name="p{{idx}}" value="$pages[{{idx}}]"/></Repeater></View>'
        >>> unrolled(config, {"pages": ["a.png"]})
        '<View><View><Image name="p0" value="$pages[0]" /></View></View>'
    """
    root: ElementTree.Element = fromstring(config, forbid_dtd=True)
    for parent in list(root.iter()):
        for place, tag in enumerate(parent):
            if tag.tag.lower() == "repeater":
                parent[place] = _copies(tag, data)
    return ElementTree.tostring(root, encoding="unicode")


def _copies(repeater: ElementTree.Element, data: Mapping[str, Any]) -> ElementTree.Element:
    items = task_value(repeater.get("on", ""), data)
    count = min(len(items), _MOST_REPEATS) if isinstance(items, list) else 0
    inside = "".join(ElementTree.tostring(tag, encoding="unicode") for tag in repeater)
    flag = repeater.get("indexFlag", _INDEX_FLAG)
    copies: ElementTree.Element = fromstring(
        f"<View>{''.join(inside.replace(flag, str(index)) for index in range(count))}</View>"
    )
    return copies


def _found(data: object, path: str) -> Any:
    if isinstance(data, Mapping) and path in data:
        return data[path]
    for step in _STEP.findall(path):
        if isinstance(data, Mapping):
            data = data.get(step)
        elif isinstance(data, list) and step.isdigit() and int(step) < len(data):
            data = data[int(step)]
        else:
            return None
    return data
