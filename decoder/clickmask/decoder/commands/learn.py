"""Learn from labeled objects, so that the next need fewer clicks; or list and roll back what was learned."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tqdm import tqdm

from clickmask.decoder.commands.arguments import add_model_arguments
from clickmask.decoder.errors import ClickMaskError, DatasetError
from clickmask.decoder.formats.options import ReadOptions
from clickmask.decoder.formats.output import inside
from clickmask.decoder.formats.registry import FORMATS, find_format
from clickmask.decoder.learning.job import AcceptedObject, LearningJob, LearningProcess
from clickmask.decoder.learning.outcome import Outcome
from clickmask.decoder.learning.versions import Versions

NOTHING_GAINED = 3  # exit status
SHOWN_PROBLEMS = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Labels, pictures, where what is learned is kept, model."""
    parser.add_argument("labels", type=Path, nargs="?", metavar="LABELS", help="file or folder of labeled objects")
    parser.add_argument("--from", dest="source", default="coco", choices=FORMATS, help="its format (default: coco)")
    parser.add_argument("--images", type=Path, help="folder of the pictures (default: that of LABELS)")
    parser.add_argument(
        "--project", type=Path, required=True, metavar="DIR", help="folder that keeps what is learned, one a project"
    )
    either = parser.add_mutually_exclusive_group()
    either.add_argument("--list", action="store_true", dest="lists", help="list what was learned, and learn nothing")
    either.add_argument("--roll-back", action="store_true", help="use the version before the one in use")
    add_model_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Learn, and say what came of it.

    Returns:
        0 where something is gained, 3 where not, and everything stays as it was.

    Raises:
        ClickMaskError: If the labels cannot be read, or nothing can be learned or kept.
    """
    versions = Versions(arguments.project, arguments.project.resolve().name)
    if arguments.lists:
        print(listing(versions))
        return 0
    if arguments.roll_back:
        current = versions.roll_back()
        print(f"{versions.name(current)} is used now" if current else "the model is used as it came")
        return 0
    if arguments.labels is None:
        raise DatasetError("LABELS is missing, wanted a file of labeled objects, --list or --roll-back")
    outcome = _learn(arguments, versions)
    print(outcome.sentence)
    return 0 if outcome.is_used else NOTHING_GAINED


def listing(versions: Versions) -> str:
    """A line for every try, the version in use marked."""
    state = versions.state()
    if not state.outcomes:
        return f"{versions.folder}: nothing was learned yet"
    lines = []
    for outcome in state.outcomes:
        name = versions.name(outcome.version) if outcome.is_used else "-"
        mark = "  <- in use" if outcome.is_used and outcome.version == state.current else ""
        lines.append(f"{name:24} {outcome.sentence}{mark}")
    return "\n".join(lines)


def _learn(arguments: argparse.Namespace, versions: Versions) -> Outcome:
    problems: list[ClickMaskError] = []
    job = LearningJob(
        folder=versions.folder.resolve(),
        project=versions.project,
        objects=tuple(_objects(arguments, problems)),
        model=arguments.model,
        device=arguments.device,
        precision=arguments.precision,
        image_side=arguments.image_side,
    )
    for problem in problems[:SHOWN_PROBLEMS]:
        print(f"left out: {problem}", file=sys.stderr)
    if len(problems) > SHOWN_PROBLEMS:
        print(f"left out: {len(problems) - SHOWN_PROBLEMS} more", file=sys.stderr)
    with tqdm(total=100, unit="%", desc=f"learning from {len(job.objects)} objects", disable=None) as bar:

        def progress(share: float) -> None:
            bar.update(round(100 * share) - bar.n)

        return LearningProcess(job).outcome(progress)


def _objects(arguments: argparse.Namespace, problems: list[ClickMaskError]) -> list[AcceptedObject]:
    """Every labeled object that is one thing with a mask."""
    labels: Path = arguments.labels
    images: Path = arguments.images or (labels if labels.is_dir() else labels.parent)
    dataset = find_format(arguments.source).read(labels, ReadOptions(images=images, on_problem=problems.append))
    return [
        AcceptedObject(
            key=f"{annotated.image.file_name} {item.id}",
            image_key=str(inside(images, annotated.image.file_name).resolve()),
            file=inside(images, annotated.image.file_name).resolve(),
            rle=item.rle,
        )
        for annotated in dataset.images
        for item in annotated.objects
        if not item.is_crowd and not item.is_box
    ]
