"""Which memories a frame looks at."""

from __future__ import annotations

import pytest
import torch

from clickmask.decoder.track.memory import FrameMemory, MemoryBank, MemoryRule, closest_frames, select_memories

RULE = MemoryRule()


def bank_of(frames: range, prompted: tuple[int, ...] = (0,), *, present: bool = True) -> MemoryBank[None]:
    bank: MemoryBank[None] = MemoryBank()
    for frame in sorted({*frames, *prompted}):
        score = 1.0 if present or frame in prompted else -1.0
        bank = bank.add(FrameMemory(frame, frame in prompted, torch.zeros(1, 1), 0.5, score, None), reach=1_000)
    return bank


def chosen(bank: MemoryBank[None], frame: int, direction: int, rule: MemoryRule = RULE) -> list[tuple[int, int]]:
    selection = select_memories(bank, frame, 1 if direction > 0 else -1, rule)
    return [(age, memory.frame) for age, memory in selection.maps]


def test_the_prompted_frame_and_the_six_before() -> None:
    assert chosen(bank_of(range(30)), 20, 1) == [(0, 0), (6, 14), (5, 15), (4, 16), (3, 17), (2, 18), (1, 19)]


def test_backward_looks_at_the_frames_after() -> None:
    assert chosen(bank_of(range(30), prompted=(29,)), 20, -1) == [
        (0, 29), (6, 26), (5, 25), (4, 24), (3, 23), (2, 22), (1, 21)
    ]  # fmt: skip


def test_a_stride_thins_all_but_the_newest() -> None:
    rule = MemoryRule(maps=5, stride=3)
    assert chosen(bank_of(range(30)), 20, 1, rule) == [(0, 0), (4, 12), (3, 15), (2, 18), (1, 19)]
    assert chosen(bank_of(range(30)), 10, -1, rule) == [(0, 0), (4, 18), (3, 15), (2, 12), (1, 11)]


def test_a_prompted_frame_is_not_looked_at_twice() -> None:
    assert chosen(bank_of(range(5), prompted=(0, 3)), 5, 1) == [(0, 0), (0, 3), (4, 1), (3, 2), (1, 4)]


def test_prompts_too_many_count_as_ordinary_frames() -> None:
    rule = MemoryRule(prompted=1)
    assert chosen(bank_of(range(5), prompted=(0, 3)), 5, 1, rule) == [(0, 3), (5, 0), (4, 1), (3, 2), (1, 4)]


def test_frames_of_little_worth_are_passed_over_but_the_newest() -> None:
    """SAM 3's way: those before take their ages; a frame without the object is worth nothing."""
    bank: MemoryBank[None] = MemoryBank()
    for frame in range(10):
        score = 4.0 if frame in (0, 2, 3, 6) else -4.0
        bank = bank.add(FrameMemory(frame, frame == 0, torch.zeros(1, 1), 0.9, score, None), reach=1_000)
    rule = MemoryRule(maps=4, least_worth=0.01)
    assert chosen(bank, 10, 1, rule) == [(0, 0), (3, 3), (2, 6), (1, 9)]
    pointers = select_memories(bank, 10, 1, rule).pointers
    assert [(back, memory.frame) for back, memory in pointers] == [(10, 0), (1, 9), (2, 6), (3, 3), (4, 2)]
    assert chosen(bank, 1, -1, rule) == [(0, 0), (3, 6), (2, 3), (1, 2)]


def test_worth_is_the_predicted_iou_of_what_is_surely_there() -> None:
    worth = [FrameMemory(0, False, torch.zeros(1, 1), 0.8, score, None).worth for score in (-3.0, 0.0, 2.0, 50.0)]
    assert worth == pytest.approx([0.0, 0.0, 0.8 * (2 / (1 + 2.718281828**-2.0) - 1), 0.8])


def test_pointers_come_from_the_past_only() -> None:
    bank = bank_of(range(40), prompted=(0, 30))
    forward = select_memories(bank, 20, 1, RULE)
    assert [back for back, _ in forward.pointers] == [20, *range(1, 16)]
    backward = select_memories(bank, 20, -1, RULE)
    assert [(back, memory.frame) for back, memory in backward.pointers][:2] == [(10, 30), (1, 21)]


def test_a_short_video_looks_at_fewer_pointers() -> None:
    selection = select_memories(bank_of(range(8)), 7, 1, MemoryRule(pointers=16), frame_count=4)
    assert [back for back, _ in selection.pointers] == [7, 1, 2, 3]


@pytest.mark.parametrize(("most", "wanted"), [(None, {0, 5, 8, 30}), (2, {8, 30}), (3, {5, 8, 30}), (1, {8})], ids=str)
def test_the_closest_prompted_frames_come_from_both_sides(most: int | None, wanted: set[int]) -> None:
    assert closest_frames([0, 5, 8, 30], 10, most) == wanted


def test_what_is_out_of_reach_is_forgotten_and_prompts_are_not() -> None:
    bank = bank_of(range(3))
    for frame in range(3, 100):
        bank = bank.add(FrameMemory(frame, False, torch.zeros(1, 1), 0.5, 1.0, None), RULE.reach)
    assert sorted(bank.memories) == [0, *range(99 - RULE.reach, 100)]


def test_everything_selected_is_within_reach() -> None:
    for stride in (1, 2, 5):
        rule = MemoryRule(stride=stride)
        for frame in range(150, 170):
            selection = select_memories(bank_of(range(150, 170), prompted=(0,)), frame, 1, rule)
            looked_at = [memory.frame for _, memory in (*selection.maps, *selection.pointers)]
            assert all(frame - t <= rule.reach for t in looked_at if t != 0)


def test_how_long_an_object_is_lost() -> None:
    assert bank_of(range(6), present=False).lost_for(6, 1) == 5
    assert bank_of(range(6), prompted=(3,), present=False).lost_for(6, 1) == 2
    assert bank_of(range(6)).lost_for(6, 1) == 0
