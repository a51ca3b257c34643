"""What a folder's accepted objects teach: a job that learns, the version in use, and the way back."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from clickmask.decoder import ClickMaskError, LearningError
from clickmask.decoder.learning import AcceptedObject, LearningJob, LearningProcess, Versions
from clickmask.web.photos.library import OpenFolder
from clickmask.web.photos.pictures import image_source
from clickmask.web.photos.records import UNCHECKED

MakeJob = Callable[[Versions, tuple[AcceptedObject, ...]], LearningJob]
_STEPS = 100


def versions_of(folder: OpenFolder) -> Versions:
    """Where the folder's project keeps what it learned."""
    name = re.sub(r"[^\w.-]+", "-", folder.path.name).strip("-.") or "project"
    return Versions(folder.store / "learned", name)


def accepted_objects(folder: OpenFolder) -> list[AcceptedObject]:
    """The objects of the folder that a person made or checked, on pictures that are as they were."""
    found = []
    for picture in folder.pictures():
        if picture.missing or not picture.object_count:
            continue
        try:
            file = folder.same_size(picture)
            key = image_source(file).key
        except (ClickMaskError, OSError):
            continue  # the list of pictures says what is wrong with it
        size = [picture.height, picture.width]
        found += [
            AcceptedObject(item.id, key, file, {"size": size, "counts": item.counts}, _clicked(item.prompts))
            for item in folder.project.objects(picture.id)
            if item.source not in UNCHECKED and not item.crowd
        ]
    return found


def learn(folder: OpenFolder, make_job: MakeJob, report: Callable[..., None]) -> dict[str, Any]:
    """Learn in a process of its own; what came of it, as ``learning_state`` says, and in words.

    Raises:
        LearningError: Why nothing was learned; what was used before is used on.
    """
    objects = accepted_objects(folder)
    report(0, _STEPS)
    process = LearningProcess(make_job(versions_of(folder), tuple(objects)))

    def progress(share: float) -> None:
        report(round(_STEPS * share), _STEPS)

    outcome = process.outcome(progress)
    return {**learning_state(folder), "sentence": outcome.sentence, "used": outcome.is_used}


def learning_state(folder: OpenFolder) -> dict[str, Any]:
    """The ``version`` in use ("" where that is the model as it came), and the ``sentence`` of the last try."""
    versions = versions_of(folder)
    state = versions.state()
    return {
        "version": versions.name(state.current) if state.current else "",
        "sentence": "" if state.last is None else state.last.sentence,
    }


def roll_back(folder: OpenFolder) -> dict[str, Any]:
    """Use the version before the one in use.

    Raises:
        LearningError: If there is none.
    """
    versions = versions_of(folder)
    if versions.state().current == 0:
        raise LearningError("nothing that was learned is in use")
    versions.roll_back()
    return learning_state(folder)


def _clicked(prompts: str) -> tuple[tuple[float, float], ...]:
    """The positive clicks in an object's prompts; none where the text holds something else."""
    try:
        points = json.loads(prompts).get("points") or ()
        return tuple((float(x), float(y)) for x, y, positive in points if positive)
    except (ValueError, TypeError, AttributeError):
        return ()
