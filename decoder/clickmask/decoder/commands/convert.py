"""Convert annotations between COCO, Label Studio, CVAT, YOLO, Pascal VOC, LabelMe, label pictures and others."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, get_args

from tqdm import tqdm

from clickmask.decoder.errors import ClickMaskError, DatasetError
from clickmask.decoder.formats.checks import Counts, check_sizes, count_records, note_grainy
from clickmask.decoder.formats.combine import merge_datasets, split_dataset
from clickmask.decoder.formats.guess import guess_format
from clickmask.decoder.formats.losses import tell_losses
from clickmask.decoder.formats.options import (
    Encoding,
    OnProblem,
    ReadOptions,
    Tag,
    WriteOptions,
    raise_loss,
    raise_problem,
)
from clickmask.decoder.formats.packed import unpacked
from clickmask.decoder.formats.records import AnnotatedImage, Dataset
from clickmask.decoder.formats.registry import FORMATS, Format, find_format
from clickmask.decoder.shapes.polygons import Style, check_wishes

SHOWN_PROBLEMS = 20
LEFT_OUT = 3  # exit status


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("inputs", nargs="+", type=Path, metavar="IN", help="file or folder to read; several are merged")
    parser.add_argument("output", type=Path, metavar="OUT", help="file or folder to write")
    parser.add_argument("--from", dest="source", required=True, choices=FORMATS, help="format of every IN")
    parser.add_argument("--to", dest="target", required=True, choices=FORMATS, help="format of OUT")
    parser.add_argument("--images", type=Path, help="folder of the pictures: for their sizes, and to copy them along")
    parser.add_argument(
        "--annotations",
        "--config",
        dest="companion",
        type=Path,
        metavar="FILE",
        help="the COCO file of a list of results, the labeling configuration of Label Studio's tasks, or the folder "
        "of COCO panoptic's PNGs",
    )
    parser.add_argument(
        "--take",
        default="all",
        metavar="WHICH",
        help="annotations of Label Studio's tasks: all, newest, ground-truth, predictions, or an annotator",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace OUT; of a folder, files of the same names")
    either = parser.add_mutually_exclusive_group()
    either.add_argument("--append", action="store_true", help="add to OUT, which exists")
    either.add_argument("--split", type=_shares, metavar="NAME=SHARE,...", help="write parts: train=0.8,val=0.2")
    parser.add_argument("--seed", type=int, default=0, help="another seed gives another split (default 0)")
    parser.add_argument("--strict", action="store_true", help="stop at the first record that cannot be used")
    parser.add_argument(
        "--lenient", action="store_true", help=f"end with status 0, not {LEFT_OUT}, if some were left out"
    )
    parser.add_argument("--dry-run", action="store_true", help="write nothing; say what would be written and lost")
    parser.add_argument("--encoding", choices=get_args(Encoding), default="polygons", help="segmentations of COCO")
    parser.add_argument("--style", choices=get_args(Style), help="cut exact polygons anew; otherwise drawn ones stay")
    parser.add_argument("--min-iou", type=float, help="simplify polygons while their IoU stays at least this")
    parser.add_argument("--max-points", type=int, help="simplify polygons to at most this many points per object")
    parser.add_argument("--tag", choices=get_args(Tag), default="brush", help="kind of Label Studio region")
    parser.add_argument("--image-prefix", default="", help='put before names in tasks: "/data/local-files/?d="')


def run(arguments: argparse.Namespace) -> int:
    """Read, merge, split and write; say what is there now, what was lost and what was left out.

    Returns:
        0, or 3 if records were left out.

    Raises:
        ClickMaskError: If an input cannot be read or holds nothing, the output cannot be written, or,
            with ``--strict``, a record cannot be used.
    """
    check_wishes(arguments.style or "parts", arguments.min_iou, arguments.max_points)
    tally = _Tally()
    report = raise_problem if arguments.strict else tally.leave_out
    reading = ReadOptions(
        images=arguments.images,
        companion=arguments.companion,
        choice=arguments.take,
        on_problem=report,
        on_loss=tally.lose,
        on_note=tally.note,
        progress=_reading_bar,
    )
    with ExitStack() as packed:
        source = find_format(arguments.source)
        paths = [
            packed.enter_context(unpacked(path, is_folder=source.is_folder, suffix=source.suffix))
            for path in arguments.inputs
        ]
        return _convert(_read_all(paths, arguments, reading), arguments, report, tally)


def _convert(dataset: Dataset, arguments: argparse.Namespace, report: OnProblem, tally: _Tally) -> int:
    if arguments.images is not None and not FORMATS[arguments.source].is_sized_by_pictures:
        dataset = check_sizes(dataset, arguments.images, report)
    target = find_format(arguments.target)
    parts = split_dataset(dataset, arguments.split, seed=arguments.seed) if arguments.split else {"": dataset}
    parts = {name: tell_losses(part, target.holds, tally.lose) for name, part in parts.items()}
    if arguments.min_iou is not None:
        parts = {name: note_grainy(part, arguments.min_iou, tally.note) for name, part in parts.items()}
    if arguments.dry_run:
        for name, part in parts.items():
            _say(_path(arguments, target, name), count_records(part), part, "would hold ")
    else:
        writing = _writing(arguments, report, tally)
        _write(parts, arguments, target, writing, tally)
    return tally.tell(arguments.lenient)


@dataclass
class _Tally:
    """What was left out, lost and decided."""

    problems: int = 0
    losses: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    first: dict[str, str] = field(default_factory=dict)

    def leave_out(self, problem: ClickMaskError) -> None:
        self.problems += 1
        if self.problems <= SHOWN_PROBLEMS:
            tqdm.write(f"left out: {problem}")

    def lose(self, what: str, where: str) -> None:
        self.losses[what] += 1
        self.first.setdefault(what, where)

    def note(self, what: str, where: str) -> None:
        self.notes[what] += 1
        self.first.setdefault(what, where)

    def tell(self, lenient: bool) -> int:
        """Print the counts, what was left out last, and return the exit status."""
        for word, counts in (("note", self.notes), ("lost", self.losses)):
            for what, count in counts.items():
                print(f"{word}: {count} {what} (the first: {self.first[what]})")
        if not self.problems:
            return 0
        shown = f" (the first {SHOWN_PROBLEMS} are listed above)" if self.problems > SHOWN_PROBLEMS else ""
        print(f"left out: {self.problems}{shown}")
        return 0 if lenient else LEFT_OUT


@dataclass(frozen=True, slots=True)
class _Watched:
    """The images of a dataset, with a bar as they pass; can be passed over again."""

    dataset: Dataset
    what: str

    def __iter__(self) -> Iterator[AnnotatedImage]:
        yield from tqdm(self.dataset.images, self.what, self.dataset.image_count, unit="", disable=None)


def _read_all(paths: Sequence[Path], arguments: argparse.Namespace, options: ReadOptions) -> Dataset:
    datasets = [_read(path, arguments.source, options) for path in paths]
    if arguments.append:  # OUT is written anew: nothing of it may be left out
        target = find_format(arguments.target)
        whole = replace(options, on_problem=raise_problem, on_loss=raise_loss, on_note=raise_loss, choice="all")
        there = target.read(arguments.output, whole)
        list(tell_losses(there, target.holds, raise_loss).images)
        datasets.insert(0, there)
    if len(datasets) == 1:
        return datasets[0]
    return merge_datasets(datasets, options.on_problem, options.on_note)


def _read(path: Path, source: str, options: ReadOptions) -> Dataset:
    """Read one input; of one that is something else, the error says what it seems to be."""
    try:
        dataset = find_format(source).read(path, options)
        if not dataset.image_count:
            raise DatasetError(f"{path}: holds no image that {source} can read")
    except DatasetError as error:
        guess = guess_format(path)
        if guess in (None, source):
            raise
        cure = f": use --from {guess}" if guess in FORMATS else ""
        raise DatasetError(f"{error}; it looks like {guess}{cure}") from None
    return dataset


def _writing(arguments: argparse.Namespace, report: OnProblem, tally: _Tally) -> WriteOptions:
    return WriteOptions(
        encoding=arguments.encoding,
        style=arguments.style,
        min_iou=arguments.min_iou,
        max_points=arguments.max_points,
        tag=arguments.tag,
        image_prefix=arguments.image_prefix,
        images=arguments.images,
        on_problem=report,
        on_loss=tally.lose,
        on_note=tally.note,
    )


def _write(
    parts: Mapping[str, Dataset], arguments: argparse.Namespace, target: Format, options: WriteOptions, tally: _Tally
) -> None:
    watched = {name: replace(part, images=_Watched(part, "writing images")) for name, part in parts.items()}
    paths = {name: _path(arguments, target, name) for name in parts}
    for path in paths.values():
        _check_output(path, arguments)
    if arguments.split and target.write_split is not None:
        _check_output(arguments.output, arguments)
        target.write_split(watched, arguments.output, options)
        paths = {"": arguments.output}
        watched = {"": next(iter(watched.values()))}
    else:
        for name, part in watched.items():
            target.write(part, paths[name], options)
    for name, path in paths.items():
        _say(path, _read_back(path, target, arguments, tally), watched[name], "")


def _read_back(path: Path, target: Format, arguments: argparse.Namespace, tally: _Tally) -> Counts:
    """What a reader of the format finds in what was written."""
    if target.is_sized_by_pictures and arguments.images is None:
        return target.count(path)
    problems: list[ClickMaskError] = []
    reading = ReadOptions(
        images=arguments.images, choice="predictions", on_problem=problems.append, progress=_reading_bar
    )
    counts = count_records(target.read(path, reading))
    for problem in problems:
        tally.leave_out(type(problem)(f"cannot be read back: {problem}"))
    return counts


def _say(path: Path, counts: Counts, dataset: Dataset, verb: str) -> None:
    print(f"{path}: {verb}{counts.images} images, {counts.objects} objects, {len(dataset.categories)} categories")


def _path(arguments: argparse.Namespace, target: Format, part: str) -> Path:
    """OUT; or of a part ``OUT/train`` for folders and ``OUT.train.json`` for files."""
    output: Path = arguments.output
    if not part:
        return output
    return output / part if target.is_folder else output.with_name(f"{output.stem}.{part}{output.suffix}")


def _check_output(path: Path, arguments: argparse.Namespace) -> None:
    taken = any(path.iterdir()) if path.is_dir() else path.exists()
    if taken and not arguments.append and not arguments.overwrite:
        raise DatasetError(f"{path}: exists; --append adds to it, --overwrite replaces it")


def _shares(text: str) -> dict[str, float]:
    shares: dict[str, float] = {}
    for part in text.split(","):
        name, _, share = part.partition("=")
        try:
            shares[name] = float(share)
        except ValueError:
            name = ""
        if not name.isidentifier():
            raise argparse.ArgumentTypeError(f"{part!r} is not NAME=SHARE, such as train=0.8")
    return shares


def _reading_bar(items: Iterable[Any], what: str) -> Iterable[Any]:
    bar: Iterable[Any] = tqdm(items, f"reading {what}", unit="", disable=None)
    return bar
