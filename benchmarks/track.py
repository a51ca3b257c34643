"""Seconds per tracked frame by number of objects, and peak memory by length, as one Markdown table.

Run ``python -m benchmarks.track``, some five minutes on an idle machine; with ``--device cuda`` on a GPU. Nano stands
alone; SAM 2.1 tiny runs beside transformers' Sam2VideoModel with the same random weights, frame by frame in turn. Both
encode a frame once; the peer tracks its objects one after another, as the official predictor does, ours in one batch.
Frame n after the prompt looks back at n frames, on either side.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.timing import Timing, finish
from clickmask.decoder.checkpoints import find_device, load_model
from clickmask.decoder.modeling.config import Sam2Config
from clickmask.decoder.modeling.sam2 import Sam2
from clickmask.decoder.models import MODELS, Model
from clickmask.decoder.prompts import Box, Prompt
from clickmask.decoder.track.start import open_tracker
from clickmask.decoder.track.tracker import Tracker
from clickmask.decoder.video.frames import LiveVideo
from tests.decoder.modeling.test_transformers_peer import TRANSFORMERS
from tests.peak import peak_kib

SIDE = 1024
OBJECTS = (1, 4, 16)
NANO_FRAMES, WARMUP = 20, 1
TINY_FRAMES = {1: 3, 4: 2, 16: 1}  # by objects, after the warm-up
SMALL_SIDE = 256  # of the frames that memory is measured with [px]
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


def our_frames(model: Model, objects: int, *, side: int = SIDE) -> Iterator[float]:
    """Seconds of frame after frame with our tracker."""
    tracker: Tracker[Any] = open_tracker(model, LiveVideo(pictures(side)))
    state = tracker.start()
    for object_id, box in enumerate(boxes(side)[:objects]):
        state = tracker.prompt(state, 0, object_id, Prompt(box=box)).state
    steps = tracker.propagate(state, range(1, 10**9))
    while True:
        start = time.perf_counter()
        next(steps)
        finish(model.device)
        yield time.perf_counter() - start


def peer_frames(model: Any, objects: int, device: torch.device) -> Iterator[float]:
    """Seconds of frame after frame with transformers' tracker."""
    from transformers.models.sam2_video.modeling_sam2_video import Sam2VideoInferenceSession

    images = [torch.from_numpy(image).permute(2, 0, 1).float() / 255 for image in islice(pictures(), 6)]
    session = Sam2VideoInferenceSession(
        video=torch.stack(images),
        video_height=SIDE,
        video_width=SIDE,
        inference_device=device,
        video_storage_device=device,
        inference_state_device=device,
        dtype=torch.float32,
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
        finish(device)
        yield time.perf_counter() - start


def in_turn(rivals: dict[str, Iterator[float]], frames: int) -> dict[str, Timing]:
    """A frame of each in turn, so that a busy machine slows all of them alike."""
    rounds = [{name: next(rival) for name, rival in rivals.items()} for _ in range(WARMUP + frames)][WARMUP:]
    return {name: Timing(tuple(sorted(round_[name] for round_ in rounds))) for name in rivals}


def time_nano(device: torch.device) -> list[str]:
    """A row per number of objects."""
    model = load_model("nano", device=device)
    rows = []
    for objects in OBJECTS:
        times = in_turn({"ours": our_frames(model, objects)}, NANO_FRAMES)
        rows.append(f"| nano, {SIDE}x{SIDE} | {objects} | {times['ours'].median_ms:.0f} | - | - |")
    return rows


def time_tiny(device: torch.device) -> list[str]:
    """A row per number of objects, with transformers' tracker of the same weights beside."""
    from transformers import Sam2VideoConfig, Sam2VideoModel

    torch.manual_seed(0)
    peer = Sam2VideoModel(
        Sam2VideoConfig(enable_occlusion_spatial_embedding=True, enable_temporal_pos_encoding_for_object_pointers=True)
    ).eval()
    model = Model("tiny", network_of(peer).to(device), device, torch.float32, "random")
    peer = peer.to(device)
    rows = []
    for objects, frames in TINY_FRAMES.items():
        times = in_turn({"ours": our_frames(model, objects), "peer": peer_frames(peer, objects, device)}, frames)
        ours, theirs = times["ours"].median_ms, times["peer"].median_ms
        rows.append(f"| SAM 2.1 tiny | {objects} | {ours:.0f} | {theirs:.0f} | {theirs / ours:.2f}x |")
    return rows


def network_of(peer: Any) -> Sam2:
    """Our tiny with the peer's weights."""
    config = MODELS["sam2.1_hiera_tiny"].config
    assert isinstance(config, Sam2Config)
    network = Sam2(config)
    network.load_state_dict(TRANSFORMERS.translate(peer.state_dict()), strict=True)
    return network.eval().requires_grad_(False)


def measure_memory() -> None:
    """Print the peak [KiB] after each length, as JSON; in a process of its own, where nothing else was done."""
    peaks = []
    frames = our_frames(load_model("nano"), 1, side=SMALL_SIDE)
    for earlier, length in zip((0, *LENGTHS), LENGTHS, strict=False):
        for _ in range(length - earlier):
            next(frames)
        peaks.append(peak_kib())
    print(json.dumps(peaks))


def memory_row() -> str:
    """The row of peak memory, measured in another process."""
    command = [sys.executable, "-m", "benchmarks.track", "--memory"]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    first, last = json.loads(output)
    return (
        f"Nano's peak memory, 1 object: {first / 1024:.0f} MiB after {LENGTHS[0]} frames, {last / 1024:.0f} MiB after "
        f"{LENGTHS[1]}: {100 * (last / first - 1):+.1f}%."
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu", help="where to compute, such as cpu or cuda (default: %(default)s)")
    parser.add_argument("--memory", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.memory:
        measure_memory()
        return
    device = find_device(arguments.device)
    head = ["| model | objects | ours, ms per frame | transformers | ours is faster by |", "|---|---|---|---|---|"]
    print("\n".join([*head, *time_nano(device), *time_tiny(device)]))
    if device.type == "cpu":
        print(f"\n{memory_row()}")


if __name__ == "__main__":
    main()
