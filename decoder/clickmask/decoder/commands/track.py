"""Follow objects through a video and write the tracks; prints on how many frames each was seen."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from tqdm import tqdm

from clickmask.decoder.commands.arguments import add_model_arguments, load_asked_model
from clickmask.decoder.commands.segment import parse_prompt
from clickmask.decoder.errors import DatasetError, ImageError, PromptError, VideoError
from clickmask.decoder.formats.options import WriteOptions
from clickmask.decoder.formats.output import make_folder
from clickmask.decoder.formats.registry import find_format
from clickmask.decoder.prompts import Prompt
from clickmask.decoder.track.export import tracks_to_dataset
from clickmask.decoder.track.overlay import write_overlay
from clickmask.decoder.track.start import open_tracker
from clickmask.decoder.track.tracker import Step, TrackedMask, Tracker, TrackState
from clickmask.decoder.video.frames import Video
from clickmask.decoder.video.video_file import frame_name, open_video, video_name

FORMATS = ("youtube-vis", "mots", "coco", "label-studio")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Video, prompts, model, outputs."""
    parser.add_argument("video", type=Path, help="a video file, or a folder of frames")
    parser.add_argument(
        "--box",
        action="append",
        default=[],
        metavar="X0,Y0,X1,Y1",
        help="an object by its box in pixels; again for more",
    )
    parser.add_argument(
        "--point", action="append", default=[], metavar="X,Y", help="an object by a click in pixels; again for more"
    )
    parser.add_argument("--frame", type=int, default=0, help="the frame pointed at, from 0; tracked both ways from it")
    parser.add_argument("--lost-after", type=int, metavar="N", help="give an object up after N frames without it")
    parser.add_argument("--category", default="object", help="name of the category in the file (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=Path("tracks.json"), help="file to write (default: %(default)s)")
    formats = "format of the file; label-studio writes a task for every frame (default: %(default)s)"
    parser.add_argument("--format", choices=FORMATS, default=FORMATS[0], help=formats)
    parser.add_argument("--overlay", type=Path, help="draw the tracks on the video, as MP4")
    add_model_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Track, write the files, print on how many frames each object was seen; a broken video as far as it goes."""
    prompts = parse_objects(arguments.box, arguments.point)
    _check_output(arguments)
    video = open_video(arguments.video)
    tracker = open_tracker(load_asked_model(arguments), video)
    state = tracker.start()
    for object_id, prompt in enumerate(prompts, start=1):
        state = tracker.prompt(state, arguments.frame, object_id, prompt).state
    start = time.perf_counter()
    steps = both_ways(tracker, state, arguments.frame, arguments.lost_after)
    tracks: dict[int, Any] = {}
    broken = None
    try:
        for step in tqdm(steps, total=video.frame_count, unit="frame", disable=None):
            tracks[step.frame] = step.masks
    except (VideoError, ImageError) as error:
        if not tracks:
            raise
        broken = error
    print(describe(tracks, len(prompts), time.perf_counter() - start))
    _write(arguments, video, tracks)
    if broken is not None:
        print(f"stopped early: {broken}", file=sys.stderr)
    return 0 if broken is None else 1


def parse_objects(boxes: list[str], points: list[str]) -> list[Prompt]:
    """Read one prompt per object from the command line: boxes first, then clicks.

    Raises:
        PromptError: If there is none, or one is not written as wanted.
    """
    prompts = [parse_prompt([], box) for box in boxes] + [parse_prompt([point], None) for point in points]
    if not prompts:
        raise PromptError("nothing to follow: wanted --box X0,Y0,X1,Y1 or --point X,Y")
    return prompts


def both_ways(tracker: Tracker[Any], state: TrackState[Any], frame: int, lost_after: int | None) -> Iterator[Step[Any]]:
    """Follow forward to the end, then backward to the first frame in the light of the first frames forward."""
    count = tracker.video.frame_count
    assert count is not None  # files and folders know
    for step in tracker.propagate(state, range(frame, count), lost_after=lost_after):
        if step.frame <= frame + tracker.reach:  # memories further away would not be looked at
            state = step.state
        yield step
    yield from tracker.propagate(state, range(frame - 1, -1, -1), lost_after=lost_after)


def describe(tracks: dict[int, Any], objects: int, seconds: float) -> str:
    """How long it took, and on how many frames each object was seen."""
    lines = [f"{len(tracks)} frames in {seconds:.1f} s, {1000 * seconds / max(len(tracks), 1):.0f} ms per frame"]
    for object_id in range(1, objects + 1):
        masks: list[TrackedMask] = [masks[object_id] for masks in tracks.values() if object_id in masks]
        lines.append(f"object {object_id}: seen on {sum(mask.present for mask in masks)} of {len(tracks)} frames")
    return "\n".join(lines)


def _check_output(arguments: argparse.Namespace) -> None:
    """Refuse before tracking, which may take hours, what could not be written after it."""
    out: Path = arguments.out
    is_folder = find_format(arguments.format).is_folder
    if out.exists() and out.is_dir() != is_folder:
        got, wanted = ("file", "folder") if is_folder else ("folder", "file")
        raise DatasetError(f"{out} is a {got}, wanted a {wanted} for {arguments.format}")
    make_folder(out if is_folder else out.parent)


def _write(arguments: argparse.Namespace, video: Video, tracks: dict[int, Any]) -> None:
    names = partial(frame_name, arguments.video, video)
    dataset = tracks_to_dataset(tracks, video.size, video_name(arguments.video), arguments.category, names)
    find_format(arguments.format).write(dataset, arguments.out, WriteOptions(encoding="rle"))
    print(f"wrote {arguments.out}")
    if arguments.overlay is not None:
        write_overlay(video, tracks, arguments.overlay)
        print(f"wrote {arguments.overlay}")
