"""Seconds per tracked frame by number of objects, and peak memory by length.

Run ``python -m benchmarks.track`` for nano; ``--tiny`` adds SAM 2.1 tiny beside transformers' Sam2VideoModel of the
same size, frame by frame in turn. Both have random weights (time does not depend on them) and see the same frames;
both encode a frame once, the peer tracks its objects one after another, ours in one batch.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.timing import Timing
from decoder.checkpoints import load_model
from decoder.modeling.config import Sam2Config
from decoder.modeling.sam2 import Sam2
from decoder.models import MODELS, Model
from decoder.prompts import Box, Prompt
from decoder.track.frames import LiveVideo
from decoder.track.start import open_tracker
from decoder.track.tracker import Tracker

SIDE = 1024
OBJECTS = (1, 4, 16)
NANO_FRAMES, TINY_FRAMES, WARMUP = 60, 4, 2
LENGTHS = (200, 2_000)


def pictures(side: int = SIDE) -> Iterator[NDArray[np.uint8]]:
    """Sixteen coloured squares that drift over noise, without end."""
    generator = np.random.default_rng(0)
    noise = generator.integers(0, 255, (side, side, 3), dtype=np.uint8)
    colours = generator.integers(0, 255, (16, 3), dtype=np.uint8)
    frame = 0
    while True:
        image = noise.copy()
        for index, box in enumerate(boxes(side, frame)):
            left, top, right, bottom = (round(value) for value in box.xyxy)
            image[top:bottom, left:right] = colours[index]
        yield image
        frame += 1


def boxes(side: int, frame: int = 0) -> list[Box]:
    """Where the sixteen squares are."""
    cell, drift = side // 4, side / 12 * np.sin(frame / 30)
    corners = [(cell * (i % 4 + 0.3) + drift, cell * (i // 4 + 0.3)) for i in range(16)]
    return [Box(x, y, x + cell * 0.4, y + cell * 0.4) for x, y in corners]


def our_frames(model: Model, objects: int) -> Iterator[float]:
    """Seconds of frame after frame with our tracker."""
    tracker: Tracker[Any] = open_tracker(model, LiveVideo(pictures()))
    state = tracker.start()
    for object_id, box in enumerate(boxes(SIDE)[:objects]):
        state = tracker.prompt(state, 0, object_id, Prompt(box=box)).state
    steps = tracker.propagate(state, range(1, 10**9))
    while True:
        start = time.perf_counter()
        next(steps)
        yield time.perf_counter() - start


def peer_frames(model: Any, objects: int) -> Iterator[float]:
    """Seconds of frame after frame with transformers' tracker."""
    from transformers.models.sam2_video.modeling_sam2_video import Sam2VideoInferenceSession

    images = [torch.from_numpy(image).permute(2, 0, 1).float() / 255 for image in islice(pictures(), 20)]
    session = Sam2VideoInferenceSession(
        video=torch.stack(images), video_height=SIDE, video_width=SIDE, dtype=torch.float32
    )
    for object_id, box in enumerate(boxes(SIDE)[:objects]):
        corners = torch.tensor(box.xyxy, dtype=torch.float32).reshape(1, 1, 2, 2)
        prompt = {"point_coords": corners, "point_labels": torch.tensor([[[2, 3]]])}
        session.add_point_inputs(session.obj_id_to_idx(object_id), 0, prompt)
        session.obj_with_new_inputs.append(object_id)
    with torch.inference_mode():
        model(session, frame_idx=0)
    for frame in range(1, len(images)):
        start = time.perf_counter()
        with torch.inference_mode():
            model(session, frame_idx=frame)
        yield time.perf_counter() - start


def in_turn(rivals: dict[str, Iterator[float]], frames: int) -> dict[str, Timing]:
    """A frame of each in turn, so that a busy machine slows all of them alike."""
    rounds = [{name: next(rival) for name, rival in rivals.items()} for _ in range(WARMUP + frames)][WARMUP:]
    return {name: Timing(tuple(sorted(round_[name] for round_ in rounds))) for name in rivals}


def compare_tiny() -> None:
    """SAM 2.1 tiny, ours and transformers'."""
    from transformers import Sam2VideoConfig, Sam2VideoModel

    config = MODELS["sam2.1_hiera_tiny"].config
    assert isinstance(config, Sam2Config)
    model = Model("tiny", Sam2(config).eval().requires_grad_(False), torch.device("cpu"), torch.float32, "random")
    peer = Sam2VideoModel(Sam2VideoConfig()).eval()
    for objects in OBJECTS:
        times = in_turn({"ours": our_frames(model, objects), "peer": peer_frames(peer, objects)}, TINY_FRAMES)
        ours, theirs = times["ours"].median_ms, times["peer"].median_ms
        print(
            f"tiny, {objects:2} objects: {ours:6.0f} ms per frame, transformers {theirs:6.0f} ms, {theirs / ours:.2f}x"
        )


def measure_nano() -> None:
    """Nano by objects and by length."""
    model = load_model("nano")
    for objects in OBJECTS:
        times = in_turn({"ours": our_frames(model, objects)}, NANO_FRAMES)
        print(f"nano, {objects:2} objects: {times['ours'].median_ms:6.1f} ms per frame of {SIDE}x{SIDE}")
    frames = our_frames(model, 1)
    done = 0
    for length in LENGTHS:
        for _ in range(length - done):
            next(frames)
        done = length
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"nano, peak memory after {length} frames: {peak:.0f} MiB")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tiny", action="store_true", help="compare SAM 2.1 tiny with transformers, some minutes")
    arguments = parser.parse_args()
    measure_nano()
    if arguments.tiny:
        compare_tiny()


if __name__ == "__main__":
    main()
