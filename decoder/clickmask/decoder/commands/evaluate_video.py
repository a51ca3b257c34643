"""Measure how well objects are tracked, as J and F, on videos whose every frame has a true mask."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from clickmask.decoder.commands.arguments import add_model_arguments, load_asked_model
from clickmask.decoder.errors import DatasetError
from clickmask.decoder.evaluation.video_accuracy import contour_accuracy, region_similarity
from clickmask.decoder.evaluation.video_floors import move_by_flow, repeat_first
from clickmask.decoder.formats.output import write_whole
from clickmask.decoder.images import load_image
from clickmask.decoder.prompts import Prompt
from clickmask.decoder.shapes import deepest_point, mask_to_box, rle_to_mask
from clickmask.decoder.track.start import open_tracker
from clickmask.decoder.video.video_file import FolderVideo, in_order

STARTS = ("mask", "box", "click")
LOST = 0.2  # J under which an object is lost
FLOORS = {"repeat the first mask": repeat_first, "move it by optical flow": move_by_flow}


@dataclass(frozen=True, slots=True)
class Sequence:
    """A video with a true mask for every frame."""

    name: str
    video: FolderVideo
    masks: tuple[Path, ...]

    def truth(self, frame: int) -> NDArray[np.bool_]:
        """The true mask of a frame, shape (H, W)."""
        return load_image(self.masks[frame])[..., 0] > 127


@dataclass(frozen=True, slots=True)
class Score:
    """Means over the frames but the first and the last, as DAVIS counts, and how it went."""

    sequence: str
    method: str
    j: float
    f: float
    js: tuple[float, ...]  # J of every frame, the first and the last included

    @property
    def lost_from(self) -> int | None:
        """The first frame from which on J never again reaches ``LOST``; None if it does on the last."""
        kept = [frame for frame, j in enumerate(self.js) if j >= LOST]
        lost = kept[-1] + 1 if kept else 0
        return lost if lost < len(self.js) else None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Data set, how tracking starts, model."""
    parser.add_argument("folder", type=Path, help="data set: index.json, and folders of frames and masks it names")
    parser.add_argument("--start", action="append", choices=STARTS, help="from what to track (default: each in turn)")
    parser.add_argument("--floors", action="store_true", help="measure what needs no model as well")
    parser.add_argument("--out", type=Path, help="write the scores as JSON")
    add_model_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Evaluate and print a table."""
    sequences = read_sequences(arguments.folder)
    model = load_asked_model(arguments)
    scores = []
    for sequence in tqdm(sequences, unit="video", disable=None):
        for start in arguments.start or STARTS:
            tracker = open_tracker(model, sequence.video)
            scores.append(score(sequence, f"{model.name} from a {start}", track(tracker, sequence, start)))
        if arguments.floors:
            for name, floor in FLOORS.items():
                scores.append(score(sequence, name, floor(sequence.video, sequence.truth(0))))
    print(table(scores))
    print(f"\n{course(scores)}")
    if arguments.out is not None:
        with write_whole(arguments.out) as file:
            json.dump([asdict(one) for one in scores], file, indent=1)
    return 0


def read_sequences(folder: Path) -> list[Sequence]:
    """Read the list of videos: ``[{"sequence": name, "images": folder, "masks": folder}, ...]``.

    Raises:
        DatasetError: If it is not there or a video has not as many masks as frames.
    """
    try:
        rows = json.loads((folder / "index.json").read_text())
        return [_read_sequence(folder, row) for row in rows]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DatasetError(f"{folder}/index.json cannot be read: {error!r}") from error


def _read_sequence(folder: Path, row: dict[str, Any]) -> Sequence:
    video = FolderVideo.open(folder / row["images"])
    masks = in_order((folder / row["masks"]).glob("*.png"))
    if len(masks) != len(video.paths):
        raise DatasetError(f"{row['sequence']}: {len(masks)} masks for {len(video.paths)} frames, wanted one each")
    return Sequence(row["sequence"], video, masks)


def track(tracker: Any, sequence: Sequence, start: str) -> Iterator[NDArray[np.bool_]]:
    """Track from the first frame's truth, given as a mask, its box or one click; a mask per frame."""
    state = tracker.prompt(tracker.start(), 0, 1, first_prompt(sequence.truth(0), start)).state
    for step in tracker.propagate(state, range(sequence.video.frame_count)):
        yield rle_to_mask(step.masks[1].rle)


def first_prompt(truth: NDArray[np.bool_], start: str) -> Prompt:
    """The truth as a person would point at it."""
    if start == "mask":
        return Prompt(mask_logits=torch.from_numpy(np.where(truth, 1.0, -1.0)))
    if start == "box":
        return Prompt(box=mask_to_box(truth))
    deepest = deepest_point(truth)
    return Prompt(points=() if deepest is None else (deepest[0],))


def score(sequence: Sequence, method: str, found: Iterator[NDArray[np.bool_]]) -> Score:
    """Hold masks, one per frame in order, against the truth."""
    pairs = [(mask, sequence.truth(frame)) for frame, mask in enumerate(found)]
    js = tuple(region_similarity(*pair) for pair in pairs)
    fs = [contour_accuracy(*pair) for pair in pairs[1:-1]]
    return Score(sequence.name, method, float(np.mean(js[1:-1])), float(np.mean(fs)), js)


def table(scores: list[Score]) -> str:
    """A Markdown table: a row per way, a column per video, J / F."""
    names = list(dict.fromkeys(s.sequence for s in scores))
    lines = [f"| J / F | {' | '.join(names)} | mean |", "|---" * (len(names) + 2) + "|"]
    for method in dict.fromkeys(s.method for s in scores):
        own = [s for s in scores if s.method == method]
        cells = [f"{s.j:.3f} / {s.f:.3f}" for s in own]
        mean = f"{np.mean([s.j for s in own]):.3f} / {np.mean([s.f for s in own]):.3f}"
        lines.append(f"| {method} | {' | '.join(cells)} | {mean} |")
    return "\n".join(lines)


def course(scores: list[Score]) -> str:
    """A Markdown table of how each track went: a row per way and video; where it fails is where J falls."""
    quarters = ("first frame", "1st quarter", "2nd", "3rd", "4th")
    lines = [f"| J | video | {' | '.join(quarters)} | lost (J < {LOST}) from |", "|---" * (len(quarters) + 3) + "|"]
    for one in scores:
        parts = [one.js[:1], *(part.tolist() for part in np.array_split(np.array(one.js), 4))]
        cells = [f"{np.mean(part):.2f}" for part in parts]
        end = "never" if one.lost_from is None else f"frame {one.lost_from} of {len(one.js)}"
        lines.append(f"| {one.method} | {one.sequence} | {' | '.join(cells)} | {end} |")
    return "\n".join(lines)
