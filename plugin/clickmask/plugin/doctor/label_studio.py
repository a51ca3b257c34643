"""Label Studio's side: address, token, project, connection, webhook, and one image from end to end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from clickmask.decoder import ClickMaskError
from clickmask.plugin.build import Backend
from clickmask.plugin.clicks.prompts import objects, read_prompt
from clickmask.plugin.doctor.configs import config_findings
from clickmask.plugin.doctor.findings import Finding, from_error
from clickmask.plugin.files.label_studio_api import LabelStudioClient
from clickmask.plugin.projects.label_config import LabelConfig, read_label_config
from clickmask.plugin.projects.options import ProjectOptions
from clickmask.plugin.projects.projects import Project, connect

OLDEST = (1, 18)
"""The oldest Label Studio that clicks were tried with."""
_PROMPT = {"type": "keypointlabels", "from_name": "doctor", "is_positive": True}


def label_studio_findings(backend: Backend, number: int | None) -> Iterator[Finding]:
    """Look a Label Studio over, and one of its projects."""
    connection = connect("", "", backend.settings)
    if not connection.url:
        cure = "set LABEL_STUDIO_URL and LABEL_STUDIO_API_KEY to have them looked at too"
        yield Finding("note", "the address of Label Studio is not set", cure)
        return
    client = backend.client(connection)
    try:
        yield _server(client)
        yield Finding("ok", f"the token belongs to {client.user()}")
        if number is None:
            yield Finding("note", "no project was looked at", "add --project and its number")
            return
        yield from _project(backend, client, Project(str(number), connection, ProjectOptions()))
    except ClickMaskError as error:
        yield from_error(error)


def _server(client: LabelStudioClient) -> Finding:
    release = client.release()
    where = f"Label Studio {release or 'of an unknown version'} at {client.connection.url}"
    if release and _numbers(release) < OLDEST:
        return Finding("wrong", where, f"update it: wanted {'.'.join(map(str, OLDEST))} or newer")
    return Finding("ok", where)


def _numbers(release: str) -> tuple[int, ...]:
    parts = release.split(".")[:2]
    return tuple(int(part) for part in parts) if all(part.isdigit() for part in parts) else OLDEST


def _project(backend: Backend, client: LabelStudioClient, project: Project) -> Iterator[Finding]:
    described = client.project(project.number)
    config = read_label_config(str(described.get("label_config") or ""))
    odd = config_findings(config)
    yield from odd or [Finding("ok", f"the label config of project {project.number} is answered")]
    yield from _connections(client.connections(project.number), project.number)
    yield _webhook(client.webhooks(project.number), client.connections(project.number))
    yield _one_image(backend, client, config, project)


def _connections(connected: Sequence[Mapping[str, Any]], project: int) -> Iterator[Finding]:
    """How the project's backends are connected."""
    if not connected:
        cure = (
            "Settings, Model, Connect Model; if that says 'reserved network address', start Label Studio with "
            "LABEL_STUDIO_USE_DEFAULT_BANNED_SUBNETS=false"
        )
        yield Finding("wrong", f"project {project} has no backend", cure)
    for one in connected:
        url = str(one.get("url"))
        if one.get("state") != "CO":
            yield from_error(f"Label Studio cannot reach {url}: {one.get('error_message') or one.get('state')}")
        elif not one.get("is_interactive"):
            cure = "switch on Interactive preannotations in the connection"
            yield Finding("wrong", f"{url} is connected, but is never asked about clicks", cure)
        else:
            yield Finding("ok", f"{url} is connected and asked about clicks, as {one.get('model_version')}")
    if sum(bool(one.get("is_interactive")) for one in connected) > 1:
        yield Finding("note", "several backends are interactive: Label Studio asks the first only")


def _webhook(webhooks: Sequence[Mapping[str, Any]], connected: Sequence[Mapping[str, Any]]) -> Finding:
    """Whether Label Studio tells what people accepted."""
    wanted = {f"{str(one.get('url')).rstrip('/')}/webhook" for one in connected}
    active = [hook for hook in webhooks if str(hook.get("url")).rstrip("/") in wanted and hook.get("is_active", True)]
    if active:
        return Finding("ok", f"accepted annotations are told to {active[0].get('url')}")
    cure = "add <backend>/webhook under Settings, Webhooks, or connect the backend anew"
    return Finding("note", "no webhook tells the backend what people accept", cure)


def _one_image(backend: Backend, client: LabelStudioClient, config: LabelConfig, project: Project) -> Finding:
    """Fetch the image of a task, click into its middle, and look at the answer."""
    task = next(client.all_tasks(project.number), None)
    if task is None or not config.of(task).images:
        return Finding("note", "the project has no task with an image to try a click on")
    image = next(iter(config.of(task).images))
    backend.engines.wait(project.options.model)
    click = {**_PROMPT, "to_name": image, "value": {"x": 50, "y": 50, "keypointlabels": _any_label(config, image)}}
    prompt = read_prompt([click])
    assert prompt is not None
    segment = backend.segmenter.segment(task, prompt, config, project)
    kinds = sorted({str(region["type"]) for region in objects(segment.regions)})
    took = ", ".join(f"{step} {value:.0f} ms" for step, value in segment.milliseconds.items())
    if not kinds:
        return Finding("note", f"a click in the middle of task {task.get('id')} found nothing there")
    return Finding("ok", f"a click in the middle of task {task.get('id')} is answered by {', '.join(kinds)} ({took})")


def _any_label(config: LabelConfig, image: str) -> list[str]:
    controls = (control for control in config.answering(image) if control.labels)
    return [label.written for control in controls for label in control.labels[:1]][:1]
