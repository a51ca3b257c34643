"""What Label Studio tells about annotations: payloads in, records out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from clickmask.decoder.formats.fields import Fields, as_fields, integer, refused_as
from clickmask.plugin.clicks.prompts import objects
from clickmask.plugin.errors import RequestError
from clickmask.plugin.records.records import Records

_SAVED = ("ANNOTATION_CREATED", "ANNOTATION_UPDATED")
_SAVED_AT_ONCE = "ANNOTATIONS_CREATED"  # predictions of many tasks, turned into annotations by one command
_DELETED = ("ANNOTATIONS_DELETED", "ANNOTATION_DELETED")
START_TRAINING = "START_TRAINING"
_TOO_LARGE = 2**63  # for a number in SQLite


def record_event(event: str, payload: object, records: Records) -> dict[str, Any]:
    """Record one event.

    Args:
        event: Such as "ANNOTATION_CREATED"; events that say nothing about annotations are let pass.
        payload: The webhook's body.

    Returns:
        What was done, for the answer and the log.

    Raises:
        RequestError: If the payload lacks what its event promises.
    """
    fields = payload if isinstance(payload, Mapping) else {}
    project = project_id(payload)
    if event in _SAVED:
        with refused_as(RequestError):
            annotation, task = (
                _with_id(fields.get(name), f"the webhook's {name!r}") for name in ("annotation", "task")
            )
        ours = records.accepted(project, task, annotation)
        return {"event": event, "annotation": annotation["id"], "ours": ours}
    if event == _SAVED_AT_ONCE:
        return {"event": event, **_record_many(project, fields, records)}
    if event in _DELETED:
        numbers = [entry["id"] for entry in objects(fields.get("annotations")) if _has_id(entry)]
        records.deleted(project, numbers)
        return {"event": event, "deleted": len(numbers)}
    return {"event": event, "message": "nothing to do"}


def _record_many(project: str, fields: Mapping[str, Any], records: Records) -> dict[str, int]:
    """Record every annotation of a payload; how many there are, and how many of their regions are ours."""
    annotations = [entry for entry in objects(fields.get("annotation")) if _has_id(entry)]
    tasks = {task["id"]: task for task in objects(fields.get("task")) if _has_id(task)}
    pairs = [(tasks.get(_task_id(entry), {}), entry) for entry in annotations]
    return {"annotations": len(pairs), "ours": sum(records.accepted(project, *pair) for pair in pairs)}


def _task_id(annotation: Mapping[str, Any]) -> int | None:
    number = annotation.get("task")
    return number if isinstance(number, int) else None


def project_id(payload: object) -> str:
    """The project's number and time of creation, as in all other requests: unique over many Label Studios."""
    project = payload.get("project") if isinstance(payload, Mapping) else None
    if not isinstance(project, Mapping):
        return str(project or "")
    try:
        created = int(datetime.fromisoformat(str(project.get("created_at"))).timestamp())
    except ValueError:
        return str(project.get("id", ""))
    return f"{project.get('id')}.{created}"


def _with_id(value: object, where: str) -> Fields:
    record = as_fields(value, where)
    integer(record, "id", where)
    return record


def _has_id(value: object) -> bool:
    return isinstance(value, Mapping) and isinstance(value.get("id"), int) and 0 <= value["id"] < _TOO_LARGE
