"""What a project's accepted annotations show, as kinds of objects to find the others of."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from clickmask.decoder import ClickMaskError, Example, Kind
from clickmask.decoder.formats.label_studio import result_to_mask
from clickmask.plugin.clicks.prompts import objects, prompt_from_region
from clickmask.plugin.clicks.segmenter import Segmenter, Task
from clickmask.plugin.projects.label_config import LabelConfig
from clickmask.plugin.projects.projects import Project

MOST_EXAMPLES = 20  # of a label, the latest; each costs a look at its image
KEPT_PROJECTS = 50
AREA_TYPES = frozenset({"brush", "bitmask", "polygon", "vector"})  # regions that are the object, not around it

Labels = tuple[str, ...]
_log = logging.getLogger(__name__)


class Accepted(Protocol):
    """What people accepted; see ``Records``."""

    def accepted_state(self, project: str) -> tuple[int, float]:
        """What changes whenever more is accepted in a project, or something of it is deleted."""

    def accepted_regions(self, project: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        """The data of its task and each accepted region, the latest first."""


@dataclass(frozen=True, slots=True)
class _Known:
    """The kinds of a project, and of which record they are."""

    state: tuple[int, float]
    kinds: Mapping[Labels, Kind]


class LikeThese:
    """Knows each project's kinds, and looks again once more was accepted; any number of threads may ask.

    Args:
        accepted: What people accepted.
        segmenter: Looks at the images.
    """

    def __init__(self, accepted: Accepted, segmenter: Segmenter) -> None:
        self._accepted = accepted
        self._segmenter = segmenter
        self._lock = threading.Lock()
        self._known: OrderedDict[str, _Known] = OrderedDict()

    def kinds(self, config: LabelConfig, project: Project) -> Mapping[Labels, Kind]:
        """The kinds by their labels; none where nothing is accepted. What cannot be read is logged and left out."""
        with self._lock:  # the first task of many looks at the examples, the others wait for it
            state = self._accepted.accepted_state(project.id)
            known = self._known.get(project.id)
            if known is None or known.state != state:
                known = _Known(state, self._read(config, project))
                self._known[project.id] = known
            self._known.move_to_end(project.id)
            while len(self._known) > KEPT_PROJECTS:
                self._known.popitem(last=False)
            return known.kinds

    def _read(self, config: LabelConfig, project: Project) -> Mapping[Labels, Kind]:
        found: dict[Labels, list[Example]] = defaultdict(list)
        for data, region in self._accepted.accepted_regions(project.id):
            if not is_area(region):
                continue
            try:
                labels = prompt_from_region(region).labels
                if len(found[labels]) < MOST_EXAMPLES:
                    example = self._segmenter.describe({"data": data}, region, config, project)
                    found[labels] += [example] if example is not None else []
            except ClickMaskError as error:
                _log.warning("project %s: region %s is no example: %s", project.number, region.get("id"), error)
        return {labels: Kind(tuple(examples)) for labels, examples in found.items() if examples}


def is_area(region: Mapping[str, Any]) -> bool:
    """Whether a region is the object itself, pixel by pixel or by its outline."""
    return str(region.get("type", "")).removesuffix("labels") in AREA_TYPES


def annotated_masks(task: Task) -> list[NDArray[np.bool_]]:
    """The objects that are annotated on a task already; of regions that cannot be read there are none."""
    results: Iterable[Sequence[Mapping[str, Any]]] = (
        objects(entry.get("result")) for entry in objects(task.get("annotations"))
    )
    masks = []
    for region in (item for result in results for item in result if is_area(item)):
        try:
            masks.append(result_to_mask(region))
        except ClickMaskError as error:
            _log.warning("task %s: region %s cannot be read: %s", task.get("id"), region.get("id"), error)
    return masks
