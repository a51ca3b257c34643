"""Label a folder of pictures: find everything or what is like examples, or make fine masks of boxes and points."""

from __future__ import annotations

import argparse
import hashlib
import sys
from dataclasses import asdict, replace
from pathlib import Path, PurePosixPath
from time import perf_counter
from typing import TYPE_CHECKING, Any, get_args

from tqdm import tqdm

from clickmask.decoder.auto.settings import AutoSettings, model_settings, people_settings
from clickmask.decoder.commands.arguments import add_learned_argument, add_model_arguments, load_asked_model
from clickmask.decoder.engine import Engine
from clickmask.decoder.errors import DatasetError
from clickmask.decoder.formats.folders import PictureFolder, exists, is_address, picture_folder, upload
from clickmask.decoder.formats.options import ReadOptions, WriteOptions
from clickmask.decoder.formats.records import Dataset
from clickmask.decoder.formats.registry import FORMATS, find_format
from clickmask.decoder.label.journal import Journal
from clickmask.decoder.label.report import ReportRow, write_report
from clickmask.decoder.label.run import FindEverything, Job, UpgradeDataset, flags_of, needs_eyes, run_job
from clickmask.decoder.label.similar import Examples, FindSimilar, read_crops, read_labeled
from clickmask.decoder.label.upgrade import Kind
from clickmask.decoder.prompts import Size

if TYPE_CHECKING:
    from clickmask.decoder.cluster.label import ModelChoice

CACHE_BYTES = 2**28  # each picture is done once
SHOWN_PROBLEMS = 20
REPORT_ROWS = 200


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Pictures, what is known of them, outputs, model."""
    parser.add_argument("pictures", metavar="DIR", help="folder of the pictures, also in a bucket: s3://bucket/photos")
    parser.add_argument("--out", required=True, help="file or folder to write; a file in a bucket: s3://bucket/a.json")
    parser.add_argument("--to", default="coco", choices=FORMATS, help="its format (default: %(default)s)")
    parser.add_argument("--overwrite", action="store_true", help="replace --out if it exists")
    known = parser.add_argument_group("what is known already")
    known.add_argument("--from", dest="source", type=Path, help="boxes, points or coarse masks to make masks of")
    known.add_argument("--from-format", default="coco", choices=FORMATS, help="its format (default: %(default)s)")
    known.add_argument("--as", dest="kind", default="auto", choices=get_args(Kind), help="what its objects are")
    known.add_argument(
        "--examples",
        type=Path,
        metavar="PATH",
        help="find objects like these: labels of some of the pictures (--from-format), or a folder of crops that show "
        "one object each, in folders named by their category",
    )
    everything = parser.add_argument_group("without --from: what to look for")
    everything.add_argument("--points-per-side", type=int, help="clicks along each side; more find smaller things")
    everything.add_argument("--crop-layers", type=int, default=0, help="look again at 2x2, 4x4, ... crops (default: 0)")
    everything.add_argument("--official", action="store_true", help="all that SAM's generator finds, doubles included")
    everything.add_argument("--category", default="object", help="name of what is found (default: %(default)s)")
    parser.add_argument("--only-below", type=float, metavar="SCORE", help="write only what is flagged or scored below")
    parser.add_argument("--report", type=Path, help="page of the results, worst first (HTML)")
    machines = parser.add_argument_group("more than one machine")
    machines.add_argument(
        "--ray",
        metavar="ADDRESS",
        help="label with the workers of a Ray cluster: auto, HOST:PORT, or local for processes of this machine",
    )
    machines.add_argument("--workers", type=int, help="at most so many (default: one for each core or GPU)")
    add_learned_argument(parser)
    add_model_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Label, write, say what is there; a run that was stopped goes on where it was.

    Raises:
        ClickMaskError: If the pictures or labels cannot be read, or the output cannot be written.
    """
    folder = picture_folder(arguments.pictures)
    output = _output(arguments)
    problems: list[str] = []
    engine = Engine(load_asked_model(arguments), cache_bytes=CACHE_BYTES)
    job, about = _make_job(arguments, folder, engine, problems)
    total = sum(1 for _ in job.tasks())
    with Journal(output.with_name(f"{output.name}.journal"), about | {"model": engine.model.fingerprint}) as journal:
        _label(arguments, job, engine, journal, total)
        dataset = job.dataset(journal.entries, arguments.only_below)
        find_format(arguments.to).write(dataset, output, WriteOptions(images=_here(arguments.pictures)))
        keys = (task.key for task in job.tasks())
        problems += [f"{entry.key}: {entry.error}" for entry in journal.entries(keys) if entry.error]
        summary = _summary(arguments, output, dataset, problems)
        if arguments.report is not None:
            _report(arguments, folder, dataset, problems, summary)
        if is_address(arguments.out):
            upload(output, arguments.out)
            output.unlink()
        journal.remove()
    print(summary)
    for problem in problems[:SHOWN_PROBLEMS]:
        print(f"left out: {problem}", file=sys.stderr)
    return 1 if problems else 0


def _here(place: str) -> Path | None:
    return None if is_address(place) else Path(place)


def _output(arguments: argparse.Namespace) -> Path:
    """Where to write: the output, or a file of the working folder that is copied into the bucket at the end."""
    given: str = arguments.out
    there = exists(given) if is_address(given) else Path(given).exists()
    if there and not arguments.overwrite:
        raise DatasetError(f"{given}: exists; --overwrite replaces it")
    return Path(PurePosixPath(given.partition("?")[0]).name) if is_address(given) else Path(given)


def _make_job(
    arguments: argparse.Namespace, folder: PictureFolder, engine: Engine, problems: list[str]
) -> tuple[Job, dict[str, Any]]:
    """What to do, and what a journal must be about to go on with it."""
    if arguments.source is not None and arguments.examples is not None:
        raise DatasetError("got --from and --examples, wanted one of them")
    found = folder.names()
    names = hashlib.sha256("\n".join(found).encode()).hexdigest()
    if arguments.source is None:
        if not found:
            raise DatasetError(f"{arguments.pictures}: holds no picture")
        if arguments.examples is not None:
            examples = _examples(arguments, folder, found, engine, problems)
            return FindSimilar(folder, tuple(found), examples), {"pictures": names} | _facts(arguments.examples)
        settings = _settings(arguments, engine)
        about = {"pictures": names, "settings": asdict(settings), "category": arguments.category}
        return FindEverything(folder, tuple(found), settings, arguments.category), about
    reading = ReadOptions(images=_here(arguments.pictures), on_problem=lambda problem: problems.append(str(problem)))
    source = find_format(arguments.from_format).read(arguments.source, reading)
    return UpgradeDataset(folder, source, arguments.kind), _facts(arguments.source) | {"kind": arguments.kind}


def _facts(labels: Path) -> dict[str, Any]:
    """What must be the same of a file, or of the pictures in a folder, for a run to go on."""
    files = sorted(path for path in labels.rglob("*") if path.is_file()) if labels.is_dir() else [labels]
    return {"labels": [[str(file), file.stat().st_size, file.stat().st_mtime_ns] for file in files]}


def _examples(
    arguments: argparse.Namespace, folder: PictureFolder, names: list[str], engine: Engine, problems: list[str]
) -> Examples:
    """What is looked for; crops where they lie in a folder that is no data set."""
    given: Path = arguments.examples
    if given.is_dir() and arguments.from_format == "coco":
        size = Size(*folder.load(names[0]).shape[:2])
        return read_crops(given, size, engine, lambda problem: problems.append(str(problem)))
    reading = ReadOptions(images=_here(arguments.pictures), on_problem=lambda problem: problems.append(str(problem)))
    return read_labeled(find_format(arguments.from_format).read(given, reading), folder, engine)


def _settings(arguments: argparse.Namespace, engine: Engine) -> AutoSettings:
    choose = model_settings if arguments.official else people_settings
    settings = replace(choose(engine.model.name), crop_layers=arguments.crop_layers)
    if arguments.points_per_side is None:
        return settings
    if not 1 <= arguments.points_per_side <= 256:
        raise DatasetError(f"--points-per-side is {arguments.points_per_side}, wanted 1 to 256")
    return replace(settings, points_per_side=arguments.points_per_side)


def _label(arguments: argparse.Namespace, job: Job, engine: Engine, journal: Journal, total: int) -> None:
    done = len(journal.done())
    if done:
        print(f"{done} of {total} pictures are labeled already, going on")
    objects, start = 0, perf_counter()
    with tqdm(total=total, initial=done, unit="picture", disable=None) as bar:

        def progress(count: int) -> None:
            nonlocal objects
            objects += count
            bar.set_postfix_str(f"{objects / (perf_counter() - start):.1f} objects/s", refresh=False)
            bar.update()

        if arguments.ray is None:
            run_job(job, engine, journal, progress)
        else:
            from clickmask.decoder.cluster.label import run_job_on_ray

            run_job_on_ray(job, arguments.ray, _choice(arguments, engine), journal, progress, arguments.workers)


def _choice(arguments: argparse.Namespace, engine: Engine) -> ModelChoice:
    from clickmask.decoder.cluster.label import ModelChoice

    return ModelChoice(
        name=arguments.model,
        device=engine.model.device.type,
        precision=arguments.precision,
        image_side=arguments.image_side,
        fingerprint=engine.model.fingerprint,
    )


def _summary(arguments: argparse.Namespace, output: Path, dataset: Dataset, problems: list[str]) -> str:
    """What stands in the output, counted there, and how much of it needs eyes."""
    written = find_format(arguments.to).read(output, ReadOptions(images=_here(arguments.pictures)))
    pictures, objects = written.image_count, sum(len(annotated.objects) for annotated in written.images)
    flagged = sum(needs_eyes(item) for annotated in dataset.images for item in annotated.objects)
    failed = f", {len(problems)} problems" if problems else ""
    return f"{arguments.out}: {pictures} pictures, {objects} objects, {flagged} to look at{failed}"


def _report(
    arguments: argparse.Namespace, folder: PictureFolder, dataset: Dataset, problems: list[str], summary: str
) -> None:
    categories = dataset.category_names
    rows = [
        ReportRow(
            picture=annotated.image.file_name,
            object_id=item.id,
            category=categories[item.category_id],
            rle=item.rle,
            score=item.score or 0.0,
            flags=flags_of(item),
        )
        for annotated in dataset.images
        for item in annotated.objects
    ]
    rows.sort(key=lambda row: row.score - len([flag for flag in row.flags if flag != "border"]))
    write_report(arguments.report, rows[:REPORT_ROWS], problems, summary, folder.load)
    print(f"wrote {arguments.report}")
