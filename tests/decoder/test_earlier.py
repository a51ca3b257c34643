"""Earlier answers: found by the question alone, and the same whether they are kept or computed again."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from clickmask.decoder import Engine, LoadImage, Point, Prompt, Rule, Segmentation
from clickmask.decoder.click_chain import REFINED_POINTS, EarlierAnswers, Way
from tests.plugin.discs import disc_model

CLICKS = (Point(20, 20), Point(60, 60), Point(100, 100))


def image() -> NDArray[np.uint8]:
    """A grey square."""
    return np.full((128, 128, 3), 100, np.uint8)


def ask(
    earlier: EarlierAnswers, engine: Engine, *points: Point, key: str = "image", way: Way | None = None
) -> Segmentation:
    """Send some clicks."""
    return earlier.answer(engine, key, image, Prompt(points=points), way or Way())


class CountingEngine(Engine):
    """Keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__(disc_model())
        self.asked: list[Prompt] = []

    def segment(
        self, image_key: str, load_image: LoadImage, prompt: Prompt, *, rule: Rule | int = "auto"
    ) -> Segmentation:
        """Note the prompt and answer it."""
        self.asked.append(prompt)
        return super().segment(image_key, load_image, prompt, rule=rule)


def test_each_click_starts_from_the_answer_before() -> None:
    engine, earlier = CountingEngine(), EarlierAnswers()
    first = ask(earlier, engine, CLICKS[0])
    ask(earlier, engine, *CLICKS[:2])
    assert [prompt.mask_logits is not None for prompt in engine.asked] == [False, True]
    started_from = engine.asked[1].mask_logits
    assert started_from is not None
    assert torch.equal(started_from, first.logits[first.chosen])


def test_a_click_corrects_the_mask_that_was_seen() -> None:
    """From close by if it was seen so, though the next answer is a quick one."""
    engine, earlier = CountingEngine(), EarlierAnswers()
    close = ask(earlier, engine, CLICKS[0], way=Way(closely=True))
    assert close.closer is not None
    quick = earlier.answer(engine, "image", image, Prompt(points=CLICKS[:2]), Way(), Way(closely=True))
    started_from = engine.asked[1].mask_logits
    assert started_from is not None
    assert torch.equal(started_from, close.mask_prompt)
    assert not torch.equal(started_from, close.logits[close.chosen])
    again = EarlierAnswers().answer(engine, "image", image, Prompt(points=CLICKS[:2]), Way(), Way(closely=True))
    assert torch.equal(quick.logits, again.logits)


def test_a_forgotten_answer_is_computed_again_and_the_same() -> None:
    """After a restart, or when nothing is kept: the same mask as with every click in turn."""
    engine, kept = CountingEngine(), EarlierAnswers()
    for count in (1, 2, 3):
        in_turn = ask(kept, engine, *CLICKS[:count])
    assert len(engine.asked) == 3
    at_once = ask(EarlierAnswers(capacity=1), engine, *CLICKS)
    assert torch.equal(in_turn.logits, at_once.logits)
    assert len(engine.asked) == 6


def test_a_click_elsewhere_is_another_object() -> None:
    engine, earlier = CountingEngine(), EarlierAnswers()
    alone = ask(EarlierAnswers(), engine, CLICKS[2])
    ask(earlier, engine, *CLICKS[:2])
    after_others = ask(earlier, engine, CLICKS[2])
    assert torch.equal(alone.logits, after_others.logits)


def test_another_image_has_other_earlier_answers() -> None:
    engine, earlier = CountingEngine(), EarlierAnswers()
    ask(earlier, engine, CLICKS[0], key="a")
    engine.asked.clear()
    ask(earlier, engine, *CLICKS[:2], key="b")
    assert [len(prompt.points) for prompt in engine.asked] == [1, 2]


def test_many_clicks_at_once_are_replayed_only_so_far() -> None:
    engine = CountingEngine()
    points = [Point(1 + n, 64) for n in range(60)]
    ask(EarlierAnswers(), engine, *points)
    assert len(engine.asked) == REFINED_POINTS + 1


def test_little_is_kept() -> None:
    engine, earlier = CountingEngine(), EarlierAnswers(capacity=2)
    for x in range(10):
        ask(earlier, engine, Point(10 * x, 10))
    assert len(earlier._logits) == 2
    assert all(logits.untyped_storage().nbytes() == 256 * 256 * 4 for logits in earlier._logits.values())
