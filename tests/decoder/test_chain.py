"""Chained clicks: the answer before is found by the prompt alone, and is the same whether kept or computed again."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from clickmask.decoder import Engine, ImageSource, MaskRule, Point, Prompt, Segmentation
from clickmask.decoder.chain import CHAINED_POINTS, ClickChain
from tests.plugin.discs import disc_model

PLAIN, ZOOM = MaskRule(zoom=False), MaskRule(zoom=True)
CLICKS = (Point(20, 20), Point(60, 60), Point(100, 100))


def image() -> NDArray[np.uint8]:
    """A grey square."""
    return np.full((128, 128, 3), 100, np.uint8)


SOURCE = ImageSource("image", image)


def ask(chain: ClickChain, *points: Point, key: str = "image", how: MaskRule = PLAIN) -> Segmentation:
    """Send some clicks."""
    return chain.segment(ImageSource(key, image), Prompt(points=points), how)


class CountingEngine(Engine):
    """Keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__(disc_model())
        self.asked: list[Prompt] = []

    def segment(self, image: ImageSource, prompt: Prompt, how: MaskRule = PLAIN) -> Segmentation:
        """Note the prompt and answer it."""
        self.asked.append(prompt)
        return super().segment(image, prompt, how)


def test_each_click_starts_from_the_answer_before() -> None:
    engine = CountingEngine()
    chain = engine.chain
    first = ask(chain, CLICKS[0])
    ask(chain, *CLICKS[:2])
    assert [prompt.mask_logits is not None for prompt in engine.asked] == [False, True]
    started_from = engine.asked[1].mask_logits
    assert started_from is not None
    assert torch.equal(started_from, first.logits[first.chosen])


def test_a_click_corrects_the_mask_that_was_seen() -> None:
    """On a crop if it was seen so, though the next answer is a quick one."""
    engine = CountingEngine()
    chain = engine.chain
    close = ask(chain, CLICKS[0], how=ZOOM)
    assert close.zoomed is not None
    quick = chain.segment(SOURCE, Prompt(points=CLICKS[:2]), PLAIN, ZOOM)
    started_from = engine.asked[1].mask_logits
    assert started_from is not None
    assert torch.equal(started_from, close.mask_prompt)
    assert not torch.equal(started_from, close.logits[close.chosen])
    again = ClickChain(engine).segment(SOURCE, Prompt(points=CLICKS[:2]), PLAIN, ZOOM)
    assert torch.equal(quick.logits, again.logits)


def test_a_forgotten_answer_is_computed_again_and_the_same() -> None:
    """After a restart, or when nothing is kept: the same mask as with every click in turn."""
    engine = CountingEngine()
    kept = engine.chain
    for count in (1, 2, 3):
        in_turn = ask(kept, *CLICKS[:count])
    assert len(engine.asked) == 3
    at_once = ask(ClickChain(engine, cache_bytes=1), *CLICKS)
    assert torch.equal(in_turn.logits, at_once.logits)
    assert len(engine.asked) == 6


def test_a_click_elsewhere_is_another_object() -> None:
    engine = CountingEngine()
    chain = engine.chain
    alone = ask(ClickChain(engine), CLICKS[2])
    ask(chain, *CLICKS[:2])
    after_others = ask(chain, CLICKS[2])
    assert torch.equal(alone.logits, after_others.logits)


def test_another_image_has_another_chain() -> None:
    engine = CountingEngine()
    chain = engine.chain
    ask(chain, CLICKS[0], key="a")
    engine.asked.clear()
    ask(chain, *CLICKS[:2], key="b")
    assert [len(prompt.points) for prompt in engine.asked] == [1, 2]


def test_many_clicks_at_once_are_replayed_only_so_far() -> None:
    engine = CountingEngine()
    points = [Point(1 + n, 64) for n in range(60)]
    ask(ClickChain(engine), *points)
    assert len(engine.asked) == CHAINED_POINTS + 1


@pytest.mark.parametrize(
    "ways", [(MaskRule(1, zoom=False), MaskRule(3, zoom=False)), (PLAIN, ZOOM)], ids=["row", "zoom"]
)
def test_two_people_who_saw_other_masks_do_not_mix(ways: tuple[MaskRule, MaskRule]) -> None:
    """The first clicks are equal; what each saw is not, nor what the second click starts from."""
    engine = CountingEngine()
    seen = {how: ask(engine.chain, CLICKS[0], how=how) for how in ways}
    assert not torch.equal(*(answer.mask_prompt for answer in seen.values()))
    for how in ways:
        ask(engine.chain, *CLICKS[:2], how=how)
        started_from = engine.asked[-1].mask_logits
        assert started_from is not None
        assert torch.equal(started_from, seen[how].mask_prompt)
    assert len(engine.asked) == 4


def test_a_chain_on_a_mask_corrects_what_the_click_before_left() -> None:
    engine = CountingEngine()
    drawn = np.zeros((128, 128), np.bool_)
    drawn[40:80, 40:80] = True
    first = engine.chain.segment(SOURCE, Prompt(points=(Point(85, 60),), mask=drawn), PLAIN)
    second = engine.chain.segment(SOURCE, Prompt(points=(Point(85, 60), Point(60, 85)), mask=drawn), PLAIN)
    assert engine.asked[-1].mask is not None
    assert np.array_equal(engine.asked[-1].mask, first.mask())
    assert len(engine.asked) == 2
    assert not (first.mask() & ~second.mask()).any()
