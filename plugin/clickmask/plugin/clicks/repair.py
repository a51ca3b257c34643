"""Clicks that were submitted without their answer: found in annotations, and answered after the fact.

Whoever presses Submit without the tick saves the click and loses the outline. The same is left behind by a click
that got no answer. Both carry ``is_positive``; a box does not, but in a tag that is only smart it is nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clickmask.plugin.clicks.prompts import RegionPrompt, read_prompt, region_kind, region_labels
from clickmask.plugin.projects.label_config import LabelConfig

Item = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class UnansweredPrompt:
    """The clicks or the box of one object that was never accepted.

    Args:
        items: What the annotation holds of it.
        prompt: What was asked.
    """

    items: tuple[Item, ...]
    prompt: RegionPrompt


def unanswered_prompts(result: Sequence[Item], config: LabelConfig) -> list[UnansweredPrompt]:
    """Find the prompts in an annotation's result; all clicks of a label on an image belong to one object.

    Raises:
        RequestError: If a click or a box is malformed.
    """
    only_smart = {control.name for control in config.controls if control.only_smart}
    together: dict[tuple[object, ...], list[Item]] = {}
    for number, item in enumerate(result):
        if not isinstance(item.get("value"), Mapping):
            continue
        if region_kind(item) == "KeyPoint" and isinstance(item.get("is_positive"), bool):
            key = (item.get("to_name"), item.get("item_index"), region_labels(item))
            together.setdefault(key, []).append(item)
        elif region_kind(item) not in ("", "KeyPoint") and item.get("from_name") in only_smart:
            together[(number,)] = [item]
    prompts = [(tuple(items), read_prompt(items)) for items in together.values()]
    return [UnansweredPrompt(items, prompt) for items, prompt in prompts if prompt is not None]


def replaced(result: Sequence[Item], prompt: UnansweredPrompt, regions: Sequence[Item]) -> list[Item]:
    """Return an annotation's result with an answer in place of its prompt."""
    return [item for item in result if not any(item is used for used in prompt.items)] + list(regions)
