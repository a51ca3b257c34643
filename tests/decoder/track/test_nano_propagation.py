"""Tracking with nano's memory: plumbing, not quality, so a memory that corrects nothing yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from clickmask.decoder.errors import CheckpointError
from clickmask.decoder.modeling.nano_memory import NanoMemory, NanoMemoryConfig
from clickmask.decoder.models import Model
from clickmask.decoder.prompts import Box, Prompt
from clickmask.decoder.shapes import mask_iou, rle_to_mask
from clickmask.decoder.track.matching import MatchPropagation
from clickmask.decoder.track.nano_propagation import NanoPropagation
from clickmask.decoder.track.nano_weights import load_nano_memory, nano_digest, save_nano_memory
from clickmask.decoder.track.propagation import Propagation
from clickmask.decoder.track.start import open_tracker
from clickmask.decoder.track.tracker import Tracker
from clickmask.decoder.video.frames import ArrayVideo, LiveVideo

SIDE, SIZE = 128, 40


@pytest.fixture(scope="module")
def memory() -> NanoMemory:
    torch.manual_seed(0)
    return NanoMemory(NanoMemoryConfig()).eval().requires_grad_(False)


def truth(left: int) -> NDArray[np.bool_]:
    mask = np.zeros((SIDE, SIDE), dtype=np.bool_)
    mask[44 : 44 + SIZE, left : left + SIZE] = True
    return mask


def video(*lefts: int) -> ArrayVideo:
    """A red square over noise."""
    noise = np.random.default_rng(0).integers(60, 110, (SIDE, SIDE, 3), dtype=np.uint8)
    images = [noise.copy() for _ in lefts]
    for image, left in zip(images, lefts, strict=True):
        image[truth(left)] = (220, 40, 30)
    return ArrayVideo(images)


def as_prompt(mask: NDArray[np.bool_]) -> Prompt:
    return Prompt(mask_logits=torch.from_numpy(np.where(mask, 1.0, -1.0)))


def test_a_mask_moves_with_its_object_forward_and_backward(nano: Model, memory: NanoMemory) -> None:
    lefts = [20, 26, 32, 38, 44]
    tracker = Tracker(NanoPropagation(nano, memory), video(*lefts))
    for first, frames in ((0, range(5)), (4, range(4, -1, -1))):
        state = tracker.prompt(tracker.start(), first, 1, as_prompt(truth(lefts[first]))).state
        for step in tracker.propagate(state, frames):
            assert mask_iou(rle_to_mask(step.masks[1].rle), truth(lefts[step.frame])) > 0.8


def test_objects_do_not_change_each_other(nano: Model, memory: NanoMemory) -> None:
    """Some are first seen later, so they look at other frames."""
    tracker = Tracker(NanoPropagation(nano, memory), video(20, 24, 28, 32))
    alone = tracker.prompt(tracker.start(), 0, 1, as_prompt(truth(20))).state
    others = tracker.prompt(alone, 0, 2, as_prompt(truth(60))).state
    others = tracker.prompt(others, 2, 3, as_prompt(truth(28))).state
    for one, many in zip(tracker.propagate(alone, range(4)), tracker.propagate(others, range(4)), strict=True):
        ours, theirs = (rle_to_mask(step.masks[1].rle) for step in (one, many))
        assert mask_iou(ours, theirs) > 0.999


def test_a_lost_object_is_empty_and_absent(nano: Model, memory: NanoMemory) -> None:
    blind = NanoMemory(memory.config).eval().requires_grad_(False)
    blind.load_state_dict(memory.state_dict())
    blind.judge[-1].get_parameter("bias")[1] = -9.0
    tracker = Tracker(NanoPropagation(nano, blind), video(20, 24, 28))
    state = tracker.prompt(tracker.start(), 0, 1, as_prompt(truth(20))).state
    steps = list(tracker.propagate(state, range(3), lost_after=1))
    assert [step.masks[1].present for step in steps] == [True, False]
    assert not rle_to_mask(steps[1].masks[1].rle).any()


def test_a_box_is_answered_by_nano_itself(nano: Model, memory: NanoMemory) -> None:
    ways: list[Propagation[Any]] = [NanoPropagation(nano, memory), MatchPropagation(nano)]
    trackers = [Tracker(way, video(20)) for way in ways]
    ours, by_colour = (t.prompt(t.start(), 0, 1, Prompt(box=Box(20, 44, 60, 84))).masks[1] for t in trackers)
    assert ours.rle == by_colour.rle
    assert mask_iou(rle_to_mask(ours.rle), truth(20)) > 0.5


def test_a_file_is_used_with_its_own_nano_only(nano: Model, memory: NanoMemory, tmp_path: Path) -> None:
    path = tmp_path / "memory.safetensors"
    save_nano_memory(memory, path, {"nano": nano_digest(nano.network), "held_out_iou": "0.5"})  # type: ignore[arg-type]
    loaded = load_nano_memory(nano, path)
    assert loaded is not None
    assert isinstance(open_tracker(nano, video(20), memory_weights=path)._propagation, NanoPropagation)

    save_nano_memory(memory, path, {"nano": "another", "held_out_iou": "0.5"})
    assert load_nano_memory(nano, path) is None
    assert isinstance(open_tracker(nano, video(20), memory_weights=path)._propagation, MatchPropagation)


def test_a_broken_file_is_named(nano: Model, tmp_path: Path) -> None:
    path = tmp_path / "memory.safetensors"
    path.write_bytes(b"not weights")
    with pytest.raises(CheckpointError, match=r"memory\.safetensors cannot be read as weights"):
        open_tracker(nano, video(20), memory_weights=path)


def endless(frames: int) -> Iterator[NDArray[np.uint8]]:
    """Frames that are made when they are asked for."""
    for t in range(frames):
        yield next(iter(video(abs(2 * t % 80 - 40)).frames(range(1)))).image


def test_memory_stays_flat_however_long_the_video(nano: Model) -> None:
    """What a state holds after 60 frames and after 120, with the memory that is shipped: no more of anything."""
    tracker = open_tracker(nano, LiveVideo(endless(120)))
    state = tracker.prompt(tracker.start(), 0, 1, as_prompt(truth(40))).state
    held = {step.frame: held_bytes(step.state) for step in tracker.propagate(state, range(120))}
    assert held[119] <= held[60]
    assert held[60] > 0


def held_bytes(value: object) -> int:
    """Bytes of all tensors and arrays in a value, wherever they are in its fields and containers; shared ones once."""
    seen: dict[int, int] = {}

    def walk(part: object) -> None:
        if isinstance(part, torch.Tensor):
            seen[part.untyped_storage().data_ptr()] = part.untyped_storage().nbytes()
        elif isinstance(part, np.ndarray):
            seen[part.ctypes.data] = part.nbytes
        elif isinstance(part, Mapping):
            for inner in part.values():
                walk(inner)
        elif isinstance(part, tuple | list | frozenset | set):
            for inner in part:
                walk(inner)
        elif is_dataclass(part):
            for field in fields(part):
                walk(getattr(part, field.name, None))

    walk(value)
    return sum(seen.values())
