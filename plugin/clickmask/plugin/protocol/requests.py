"""The bodies Label Studio sends, checked once and typed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clickmask.plugin.errors import RequestError

LONGEST_PARAMS = 20_000  # what a project says of itself is kept, whoever says it
LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class SetupRequest:
    """POST /setup: a project introduces itself and its Label Studio."""

    project: str
    label_config: str
    hostname: str
    access_token: str
    extra_params: object


@dataclass(frozen=True, slots=True)
class PredictRequest:
    """POST /predict.

    Args:
        tasks: As Label Studio sends them.
        project: The project's id and time of creation.
        label_config: The project's label config.
        context: Regions a person drew, or None where nobody drew anything.
    """

    tasks: Sequence[Mapping[str, Any]]
    project: str
    label_config: str
    context: Sequence[Mapping[str, Any]] | None


def read_setup(body: object) -> SetupRequest:
    """Read the body of /setup.

    Raises:
        RequestError: If it is no JSON object or a field has a wrong type.
    """
    fields = _object(body, "the body")
    if len(json.dumps(fields.get("extra_params"))) > LONGEST_PARAMS:
        raise RequestError(f"the extra params are longer than {LONGEST_PARAMS} letters")
    return SetupRequest(
        project=_project(fields),
        label_config=_text(fields, "schema"),
        hostname=_text(fields, "hostname"),
        access_token=_text(fields, "access_token"),
        extra_params=fields.get("extra_params"),
    )


def read_predict(body: object) -> PredictRequest:
    """Read the body of /predict.

    Raises:
        RequestError: If it is no JSON object or a field is missing or has a wrong type.
    """
    fields = _object(body, "the body")
    params = _object(fields.get("params") or {}, "'params'")
    context = params.get("context")
    tasks = [_object(task, "a task") for task in _list(fields.get("tasks"), "'tasks'")]
    if context is None:
        return PredictRequest(tasks, _project(fields), _text(fields, "label_config"), None)
    result = _list(_object(context, "'context'").get("result") or [], "the context's 'result'")
    if len(tasks) != 1:
        raise RequestError(f"got {len(tasks)} tasks with a context, wanted one")
    return PredictRequest(tasks, _project(fields), _text(fields, "label_config"), result)


def _project(fields: Mapping[str, Any]) -> str:
    name = _writable(str(fields.get("project") or ""), "project")
    if len(name) > LONGEST_NAME:
        raise RequestError(f"'project' is {name[:100]}..., wanted at most {LONGEST_NAME} letters")
    return name


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name) or ""
    if not isinstance(value, str):
        raise RequestError(f"{name!r} is {str(value)[:100]}, wanted text")
    return _writable(value, name)


def _writable(text: str, name: str) -> str:
    """The text, unless it holds halves of characters, as JSON may and no file or address does."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise RequestError(f"{name!r} is {text[:100]!a}, wanted text") from error
    return text


def _object(value: object, what: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise RequestError(f"{what} is {str(value)[:100]}, wanted a JSON object")
    return value


def _list(value: object, what: str) -> list[Any]:
    if not isinstance(value, list):
        raise RequestError(f"{what} is {str(value)[:100]}, wanted a list")
    return value
