"""The bodies Label Studio sends, checked once and typed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clickmask.decoder.formats.fields import Fields, array, as_fields, optional_text, refused_as
from clickmask.plugin.errors import RequestError

LONGEST_PARAMS = 20_000  # what a project says of itself is kept, whoever says it
LONGEST_NAME = 200
BODY = "the body"


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
    with refused_as(RequestError):
        fields = as_fields(body, BODY)
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
    with refused_as(RequestError):
        fields = as_fields(body, BODY)
        params = as_fields(fields.get("params") or {}, "'params'")
        tasks = [as_fields(task, "a task") for task in array(fields, "tasks", BODY)]
        project, label_config = _project(fields), _text(fields, "label_config")
        if params.get("context") is None:
            return PredictRequest(tasks, project, label_config, None)
        context = as_fields(params["context"], "'context'")
        regions = array(context, "result", "'context'") if context.get("result") else []
    if len(tasks) != 1:
        raise RequestError(f"got {len(tasks)} tasks with a context, wanted one")
    return PredictRequest(tasks, project, label_config, regions)


def _project(fields: Fields) -> str:
    name = _writable(str(fields.get("project") or ""), "project")
    if len(name) > LONGEST_NAME:
        raise RequestError(f"'project' is {name[:100]}..., wanted at most {LONGEST_NAME} letters")
    return name


def _text(fields: Fields, name: str) -> str:
    return _writable(optional_text(fields, name, BODY), name)


def _writable(text: str, name: str) -> str:
    """The text, unless it holds halves of characters, as JSON may and no file or address does."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise RequestError(f"{name!r} is {text[:100]!a}, wanted text") from error
    return text
