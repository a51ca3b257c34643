"""Work on a whole project from the command line: encode its images, or segment them, before people come."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Mapping

from tqdm import tqdm

from clickmask.decoder import ClickMaskError
from clickmask.plugin.build import Backend
from clickmask.plugin.projects.label_config import LabelConfig, read_label_config
from clickmask.plugin.projects.projects import Project, connect, read_options

_log = logging.getLogger(__name__)


def add_commands(parser: argparse.ArgumentParser) -> None:
    """Let a parser choose between serving and the commands of this file."""
    parser.add_argument(
        "command",
        nargs="?",
        choices=("serve", "warm", "prelabel", "accepted"),
        default="serve",
        help="serve: answer Label Studio (default); warm: encode a project's images; prelabel: segment or track a "
        "project's tasks and store predictions; accepted: print what people accepted, as JSON lines",
    )
    parser.add_argument("--project", type=int, help="number of the project in Label Studio (warm, prelabel)")
    parser.add_argument("--params", default="", help="the project's extra params as JSON (warm, prelabel)")


def run_command(given: argparse.Namespace, backend: Backend) -> None:
    """Run warm, prelabel or accepted.

    Raises:
        ClickMaskError: If Label Studio cannot be reached or the options are wrong.
    """
    try:
        if given.command == "accepted":
            for example in backend.records.examples():
                json.dump(example, sys.stdout)
                print()
            return
        if given.project is None:
            raise ClickMaskError(f"{given.command} wants --project, the number of a project in Label Studio")
        project, config = open_project(backend, given.project, given.params)
        (warm if given.command == "warm" else prelabel)(backend, project, config)
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


def warm(backend: Backend, project: Project, config: LabelConfig) -> None:
    """Encode every image of a project, so that the first click on each is as quick as the second."""
    backend.engines.wait(project.options.model)
    failed = 0
    for task in tqdm(backend.client(project.connection).all_tasks(project.number), unit=" images", desc="encoding"):
        try:
            backend.segmenter.prepare(task, config, project)
        except ClickMaskError as error:
            failed += 1
            _log.warning("task %s: %s", task.get("id"), error)
    _finish(failed, "could not be encoded")


def prelabel(backend: Backend, project: Project, config: LabelConfig) -> None:
    """Segment or track every task of a project and store predictions; tasks that have some are left alone."""
    backend.engines.wait(project.options.model)
    client = backend.client(project.connection)
    version = backend.predictor.model_version(project)
    empty = 0
    tasks = (task for task in client.all_tasks(project.number) if not _has_prediction(task, version))
    for task in tqdm(tasks, unit=" tasks", desc="segmenting"):
        if config.videos:
            prediction = backend.videos.prediction(task, config.videos, project, version)
        else:
            prediction = backend.prelabeler.prediction(task, config, project, version)
        if prediction["result"]:
            client.add_prediction(int(task["id"]), prediction["result"], prediction["score"], version)
        else:
            empty += 1
    _finish(empty, "got no segment")


def _has_prediction(task: Mapping[str, object], version: str) -> bool:
    predictions = task.get("predictions")
    return isinstance(predictions, list) and any(
        isinstance(prediction, Mapping) and prediction.get("model_version") == version for prediction in predictions
    )


def _finish(count: int, what: str) -> None:
    if count:
        print(f"{count} tasks {what}", file=sys.stderr)
