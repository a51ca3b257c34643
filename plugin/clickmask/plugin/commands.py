"""Work on a whole project from the command line: before people come, and after them."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Mapping
from typing import Any

from tqdm import tqdm

from clickmask.decoder import ClickMaskError
from clickmask.plugin.build import Backend
from clickmask.plugin.clicks.prompts import objects
from clickmask.plugin.clicks.repair import replaced, unanswered_prompts
from clickmask.plugin.projects.label_config import LabelConfig, read_label_config
from clickmask.plugin.projects.options import read_options
from clickmask.plugin.projects.projects import Project, connect

PATIENCE_SECONDS = 300.0  # with a Label Studio that is away or busy
FAILURES_IN_A_ROW = 20  # of tasks, after which something else is wrong than a task

_log = logging.getLogger(__name__)


def add_commands(parser: argparse.ArgumentParser) -> None:
    """Let a parser choose between serving and the commands of this file."""
    parser.add_argument(
        "command",
        nargs="?",
        choices=("serve", "warm", "prelabel", "repair", "accepted"),
        default="serve",
        help="serve: answer Label Studio (default); warm: encode a project's images; prelabel: segment or track a "
        "project's tasks and store predictions; repair: answer clicks that were submitted without the tick; "
        "accepted: print what people accepted, as JSON lines",
    )
    parser.add_argument("--project", type=int, help="number of the project in Label Studio (warm, prelabel, repair)")
    parser.add_argument("--params", default="", help="the project's extra params as JSON (warm, prelabel, repair)")


def run_command(given: argparse.Namespace, backend: Backend) -> int:
    """Run warm, prelabel, repair or accepted; returns the exit status, 1 if something of the project failed.

    Raises:
        ClickMaskError: If Label Studio cannot be reached or the options are wrong.
    """
    try:
        if given.command == "accepted":
            for example in backend.records.examples():
                json.dump(example, sys.stdout)
                print()
            return 0
        if given.project is None:
            raise ClickMaskError(f"{given.command} wants --project, the number of a project in Label Studio")
        project, config = open_project(backend, given.project, given.params)
        commands = {"warm": warm, "prelabel": prelabel, "repair": repair}
        return 1 if commands[given.command](backend, project, config) else 0
    finally:
        backend.close()


def open_project(backend: Backend, number: int, params: str) -> tuple[Project, LabelConfig]:
    """Ask Label Studio for a project.

    Raises:
        FetchError: If Label Studio cannot be reached or knows no such project.
        RequestError: If the params or the label config are wrong.
    """
    connection = connect("", "", backend.settings)
    described = backend.client(connection).project(number)
    project = Project(str(number), connection, read_options(params))
    return project, read_label_config(str(described.get("label_config") or ""))


def warm(backend: Backend, project: Project, config: LabelConfig) -> int:
    """Encode every image of a project, so that the first click on each is as quick as the second.

    Returns:
        How many could not be encoded.
    """
    backend.engines.wait(project.options.model)
    failed = 0
    for task in tqdm(backend.client(project.connection).all_tasks(project.number), unit=" images", desc="encoding"):
        try:
            backend.segmenter.prepare(task, config, project)
        except ClickMaskError as error:
            failed += 1
            _log.warning("task %s: %s", task.get("id"), error)
    if failed:
        _tell(f"{failed} tasks could not be encoded")
    return failed


def prelabel(backend: Backend, project: Project, config: LabelConfig) -> int:
    """Segment or track every task of a project and store predictions; tasks that have some are left alone.

    So a run that was stopped goes on where it was. A server that is away or busy is waited for; a task that fails is
    told and left as it is, for the next run.

    Returns:
        How many tasks failed.

    Raises:
        ClickMaskError: If Label Studio stays away, or ``FAILURES_IN_A_ROW`` tasks failed one after the other.
    """
    backend.engines.wait(project.options.model)
    client = backend.client(project.connection, PATIENCE_SECONDS)
    version = backend.predictor.model_version(project)
    regions, answered, empty, known, failed, in_a_row = 0, 0, 0, 0, 0, 0
    for task in tqdm(client.all_tasks(project.number), unit=" tasks", desc="segmenting"):
        if _has_prediction(task, version):
            known += 1
            continue
        try:
            prediction = _prediction(backend, task, config, project, version)
            if prediction["result"]:
                client.add_prediction(int(task["id"]), prediction["result"], prediction["score"], version)
        except ClickMaskError as error:
            _log.warning("task %s: %s", task.get("id"), error)
            failed, in_a_row = failed + 1, in_a_row + 1
            if in_a_row == FAILURES_IN_A_ROW:
                raise ClickMaskError(f"{in_a_row} tasks failed one after the other, the last: {error}") from error
            continue
        found, in_a_row = len(prediction["result"]), 0
        answered, empty, regions = answered + bool(found), empty + (not found), regions + found
    told = f"{answered} tasks got {regions} regions, {empty} tasks got none, {known} had some of {version} already"
    _tell(told + (f", {failed} failed: run the same again" if failed else ""))
    if answered or known:
        _tell_what_hides(client.project(project.number), version)
    return failed


def repair(backend: Backend, project: Project, config: LabelConfig) -> int:
    """Answer clicks and boxes that were submitted without the tick, in place; what was before is kept in files.

    Returns:
        0: what gets no answer stays, and is told.
    """
    backend.engines.wait(project.options.model)
    client = backend.client(project.connection)
    folder = backend.settings.data_dir.expanduser() / "repaired" / f"project-{project.number}"
    changed, answered, left = 0, 0, 0
    for task in tqdm(client.all_tasks(project.number), unit=" tasks", desc="repairing"):
        for annotation in objects(task.get("annotations")):
            if annotation.get("was_cancelled"):
                continue
            before = objects(annotation.get("result"))
            result, found, missed = _answered(backend, task, before, config, project)
            answered, left = answered + found, left + missed
            if found:
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                (folder / f"annotation-{annotation['id']}.json").write_text(json.dumps(annotation), encoding="utf-8")
                client.change_annotation(int(annotation["id"]), result)
                changed += 1
    _tell(f"{answered} objects of {changed} annotations were answered, {left} clicks or boxes got no answer and stay")
    if changed:
        _tell(f"the annotations as they were: {folder}")
    return 0


def _answered(
    backend: Backend, task: Mapping[str, Any], result: list[Mapping[str, Any]], config: LabelConfig, project: Project
) -> tuple[list[Mapping[str, Any]], int, int]:
    """An annotation's result with answers in place of prompts; how many there are, and how many are missing."""
    found = missed = 0
    version = backend.predictor.model_version(project)
    try:
        prompts = unanswered_prompts(result, config.of(task))
    except ClickMaskError as error:
        _log.warning("task %s: %s", task.get("id"), error)
        return result, 0, 1
    for one in prompts:
        try:
            segment = backend.segmenter.segment(task, one.prompt, config, project)
        except ClickMaskError as error:
            _log.warning("task %s: %s", task.get("id"), error)
            missed += 1
            continue
        if segment.regions:
            backend.records.answered(segment, version)
            result, found = replaced(result, one, segment.regions), found + 1
        else:
            missed += 1
    return result, found, missed


def _prediction(
    backend: Backend, task: Mapping[str, Any], config: LabelConfig, project: Project, version: str
) -> dict[str, Any]:
    """Segment a task's image and track its video, whichever the config has."""
    found = []
    if config.videos:
        found.append(backend.videos.prediction(task, config.videos, project, version))
    if config.controls or config.repeating:
        found.append(backend.prelabeler.whole_prediction(task, config, project, version))
    regions = [region for one in found for region in one["result"]]
    scores = [one["score"] for one in found if one["result"]]
    return {"result": regions, "score": min(scores, default=0.0)}


def _has_prediction(task: Mapping[str, object], version: str) -> bool:
    return any(prediction.get("model_version") == version for prediction in objects(task.get("predictions")))


def _tell_what_hides(described: Mapping[str, Any], version: str) -> None:
    """Settings of a project that keep annotators from seeing these predictions."""
    shown = described.get("model_version") or ""
    if shown != version:
        _tell(
            f"annotators see predictions of {shown or 'any model, the newest first'}: choose {version} under "
            f"Settings, Annotation, prelabeling, if the project has predictions of others"
        )
    if described.get("show_collab_predictions") is False:
        _tell("annotators see no predictions: switch on prelabeling under Settings, Annotation")


def _tell(line: str) -> None:
    print(line, file=sys.stderr)
