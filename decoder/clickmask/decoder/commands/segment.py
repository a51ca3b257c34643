"""Segment what is clicked in a photo and write a COCO file; prints the scores of all four masks."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from time import perf_counter

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from clickmask.decoder.commands.arguments import (
    add_learned_argument,
    add_model_arguments,
    add_zoom_argument,
    load_asked_model,
)
from clickmask.decoder.engine import Engine
from clickmask.decoder.errors import DatasetError, PromptError
from clickmask.decoder.formats.coco.annotation import to_coco_annotation
from clickmask.decoder.formats.output import write_whole
from clickmask.decoder.images import ImageSource, load_image
from clickmask.decoder.mask_rule import RULES, MaskRule, Rule
from clickmask.decoder.overlay import draw_overlay
from clickmask.decoder.prompts import Box, Point, Prompt
from clickmask.decoder.segmentation import Segmentation


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Photo, prompts, model, outputs."""
    parser.add_argument("image", type=Path, help="the photo")
    parser.add_argument(
        "--point", action="append", default=[], metavar="X,Y[,neg]", help="a click in pixels; again for more"
    )
    parser.add_argument("--box", metavar="X0,Y0,X1,Y1", help="a box around the object, in pixels")
    parser.add_argument("--view", metavar="X0,Y0,X1,Y1", help="look at this part of a large photo first, in pixels")
    parser.add_argument("--rule", choices=RULES, default="auto", help="how the mask is chosen (default: %(default)s)")
    parser.add_argument("--candidate", type=int, choices=range(4), help="take this mask instead of choosing")
    add_zoom_argument(parser, "a second look on a crop: sharper, some ms slower (default: where the model needs it)")
    parser.add_argument("--category", default="object", help="name of the category in the file (default: %(default)s)")
    parser.add_argument("--out", type=Path, help="COCO file (default: the photo's name with .coco.json, here)")
    parser.add_argument("--overlay", type=Path, help="draw the answer on the photo, as PNG or JPEG")
    add_learned_argument(parser)
    add_model_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Segment, print the scores, write the files."""
    prompt = parse_prompt(arguments.point, arguments.box, arguments.view)
    image = load_image(arguments.image)
    engine = Engine(load_asked_model(arguments))
    rule: Rule | int = arguments.rule if arguments.candidate is None else arguments.candidate
    started = perf_counter()
    photo = ImageSource("photo", lambda: image)
    engine.encode(photo)
    encoded = perf_counter() - started
    how, how_before = MaskRule(rule, arguments.zoom), MaskRule(arguments.rule, arguments.zoom)
    answer = engine.chain.segment(photo, prompt, how, how_before)
    mask = answer.mask()
    print_scores(answer)
    print(f"{engine.model.version}: encoded in {encoded:.2f} s, answered in {answer.decode_ms:.0f} ms")
    if not mask.any():
        print("the chosen mask is empty: nothing written; try another point, a box or --candidate", file=sys.stderr)
        return 1
    out: Path = arguments.out or Path(f"{arguments.image.stem}.coco.json")  # no photo's answer over another's
    write_coco(out, arguments.image, mask, arguments.category, answer.score)
    print(f"wrote {out}")
    if arguments.overlay is not None:
        save_picture(arguments.overlay, draw_overlay(image, mask, prompt))
        print(f"wrote {arguments.overlay}")
    return 0


def parse_prompt(points: list[str], box: str | None, view: str | None = None) -> Prompt:
    """Read the prompt from the command line.

    Raises:
        PromptError: If a point, the box or the view is not written as wanted.

    Example:
        >>> parse_prompt(["250,187", "560,312,neg"], None).points
        (Point(x=250.0, y=187.0, positive=True), Point(x=560.0, y=312.0, positive=False))
    """
    corners, seen = (
        None if text is None else Box(*_numbers(text, 4, option, "X0,Y0,X1,Y1"))
        for text, option in ((box, "--box"), (view, "--view"))
    )
    return Prompt(points=tuple(_parse_point(text) for text in points), box=corners, view=seen)


def _parse_point(text: str) -> Point:
    place, _, kind = text.removesuffix(",").rpartition(",") if text.endswith(("neg", "pos")) else (text, "", "pos")
    if kind not in {"neg", "pos"}:
        raise PromptError(f"--point is {text!r}, wanted X,Y or X,Y,neg")
    x, y = _numbers(place, 2, "--point", "X,Y or X,Y,neg")
    return Point(x, y, positive=kind == "pos")


def _numbers(text: str, count: int, option: str, wanted: str) -> list[float]:
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != count:
        raise PromptError(f"{option} is {text!r}, wanted {wanted}")
    return numbers


def print_scores(answer: Segmentation) -> None:
    """Print a line per mask and mark the chosen one."""
    for row, (iou, stability) in enumerate(zip(answer.predicted_iou, answer.stability, strict=True)):
        mark = "  <- chosen" if row == answer.chosen else ""
        print(f"mask {row}: predicted IoU {iou:.3f}, stability {stability:.3f}, {int(answer.mask(row).sum())} px{mark}")
    print(f"object score {answer.object_score:.2f} (> 0: there is an object)")


def write_coco(out: Path, image: Path, mask: NDArray[np.bool_], category: str, score: float) -> None:
    """Write a COCO file with one image and one annotation, its polygon exactly the mask."""
    height, width = mask.shape
    dataset = {
        "images": [{"id": 1, "file_name": image.name, "height": height, "width": width}],
        "categories": [{"id": 1, "name": category, "supercategory": ""}],
        "annotations": [to_coco_annotation(mask, annotation_id=1, image_id=1, category_id=1, score=score)],
    }
    with write_whole(out) as file:
        json.dump(dataset, file)


def save_picture(path: Path, pixels: NDArray[np.uint8]) -> None:
    """Write a picture in the format its suffix names."""
    try:
        Image.fromarray(pixels).save(path)
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path} cannot be written: {error}") from error
