"""Convert annotations between COCO, Label Studio, YOLO, Pascal VOC, LabelMe, PNG masks, YouTube-VIS and MOTS."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

from tqdm import tqdm

from clickmask.decoder.errors import ClickMaskError, DatasetError
from clickmask.decoder.formats.combine import merge_datasets, split_dataset
from clickmask.decoder.formats.options import Encoding, ReadOptions, Tag, WriteOptions, raise_problem
from clickmask.decoder.formats.records import AnnotatedImage, Dataset
from clickmask.decoder.formats.registry import FORMATS, find_format
from clickmask.decoder.shapes.polygons import Style, check_wishes

SHOWN_PROBLEMS = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("inputs", nargs="+", type=Path, metavar="IN", help="file or folder to read; several are merged")
    parser.add_argument("output", type=Path, metavar="OUT", help="file or folder to write")
    parser.add_argument("--from", dest="source", required=True, choices=FORMATS, help="format of every IN")
    parser.add_argument("--to", dest="target", required=True, choices=FORMATS, help="format of OUT")
    parser.add_argument("--images", type=Path, help="folder of the pictures: for their sizes, and to copy them along")
    parser.add_argument("--overwrite", action="store_true", help="replace OUT; of a folder, files of the same names")
    either = parser.add_mutually_exclusive_group()
    either.add_argument("--append", action="store_true", help="add to OUT, which exists")
    either.add_argument("--split", type=_shares, metavar="NAME=SHARE,...", help="write parts: train=0.8,val=0.2")
    parser.add_argument("--seed", type=int, default=0, help="another seed gives another split (default 0)")
    parser.add_argument("--strict", action="store_true", help="stop at the first record that cannot be used")
    parser.add_argument("--encoding", choices=get_args(Encoding), default="polygons", help="segmentations of COCO")
    parser.add_argument("--style", choices=get_args(Style), default="parts", help="exact polygons of COCO and tasks")
    parser.add_argument("--min-iou", type=float, help="simplify polygons while their IoU stays at least this")
    parser.add_argument("--max-points", type=int, help="simplify polygons to at most this many points per object")
    parser.add_argument("--tag", choices=get_args(Tag), default="brush", help="kind of Label Studio region")
    parser.add_argument("--image-prefix", default="", help='put before names in tasks: "/data/local-files/?d="')


def run(arguments: argparse.Namespace) -> int:
    """Read, merge, split and write; say what was left out.

    Raises:
        ClickMaskError: If an input cannot be read, the output cannot be written, or, with
            ``--strict``, a record cannot be used.
    """
    check_wishes(arguments.style, arguments.min_iou, arguments.max_points)
    tally = _Tally()
    report = raise_problem if arguments.strict else tally.report
    reading = ReadOptions(images=arguments.images, on_problem=report, progress=_reading_bar)
    dataset = _read_all(arguments, reading)
    parts = _parts(dataset, arguments)
    for path in parts:
        _check_output(path, arguments)
    for path, part in parts.items():
        writing = WriteOptions(
            encoding=arguments.encoding,
            style=arguments.style,
            min_iou=arguments.min_iou,
            max_points=arguments.max_points,
            tag=arguments.tag,
            image_prefix=arguments.image_prefix,
            images=arguments.images,
            on_problem=report,
        )
        find_format(arguments.target).write(replace(part, images=tally.count(part)), path, writing)
        print(f"{path}: {tally.images} images, {tally.objects} objects, {len(part.categories)} categories")
    if tally.problems:
        print(f"left out: {tally.problems} (the first {SHOWN_PROBLEMS} are listed above)")
    return 0


@dataclass
class _Tally:
    """What has gone through, and what was left out."""

    images: int = 0
    objects: int = 0
    problems: int = 0

    def report(self, problem: ClickMaskError) -> None:
        self.problems += 1
        if self.problems <= SHOWN_PROBLEMS:
            tqdm.write(f"left out: {problem}")

    def count(self, dataset: Dataset) -> Iterator[AnnotatedImage]:
        self.images = self.objects = 0
        for annotated in tqdm(dataset.images, "writing images", dataset.image_count, unit="", disable=None):
            self.images += 1
            self.objects += len(annotated.objects)
            yield annotated


def _read_all(arguments: argparse.Namespace, options: ReadOptions) -> Dataset:
    datasets = [find_format(arguments.source).read(path, options) for path in arguments.inputs]
    if arguments.append:  # OUT is written anew: nothing of it may be left out
        whole = replace(options, on_problem=raise_problem, on_loss=raise_problem)
        datasets.insert(0, find_format(arguments.target).read(arguments.output, whole))
    return datasets[0] if len(datasets) == 1 else merge_datasets(datasets, options.on_problem)


def _parts(dataset: Dataset, arguments: argparse.Namespace) -> dict[Path, Dataset]:
    """The whole under OUT; or parts, as ``OUT/train`` for folders and ``OUT.train.json`` for files."""
    if not arguments.split:
        return {arguments.output: dataset}
    output: Path = arguments.output
    parts = split_dataset(dataset, arguments.split, seed=arguments.seed)
    if FORMATS[arguments.target].is_folder:
        return {output / name: part for name, part in parts.items()}
    return {output.with_name(f"{output.stem}.{name}{output.suffix}"): part for name, part in parts.items()}


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
