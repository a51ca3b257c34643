"""The evaluation's numbers are those of known answers."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from clickmask.decoder.errors import DatasetError
from clickmask.decoder.evaluation.clicks import (
    MOST_CLICKS,
    Record,
    Segment,
    after,
    number_of_clicks,
    play,
    read_segments,
    sample_segments,
    summarise,
)
from clickmask.decoder.evaluation.corrections import Correction, corrections_table
from clickmask.decoder.evaluation.flaws import FLAWS, IOU_RANGE, flawed_mask
from clickmask.decoder.evaluation.methods import Answer, GrabCut, Method, RandomWalker
from clickmask.decoder.evaluation.person import Mask, human_click
from clickmask.decoder.evaluation.report import markdown_table
from clickmask.decoder.prompts import Prompt, Size
from clickmask.decoder.shapes import mask_iou, mask_to_box


@dataclass
class Growing:
    """Answers with ``step`` more rows of a 100-row object for every click, and a whole one for a box."""

    truth: Mask
    step: int
    prompts: list[Prompt] = field(default_factory=list)

    def answer(self, prompt: Prompt) -> Answer:
        self.prompts.append(prompt)
        mask = self.truth.copy()
        if prompt.box is None:
            mask[self.step * len(prompt.points) :] = False
        return Answer(mask, options=(mask, self.truth))


@pytest.fixture
def truth() -> Mask:
    return np.ones((100, 40), np.bool_)


def test_the_record_holds_the_iou_of_every_click(truth: Mask) -> None:
    record = play("object", Growing(truth, step=8), truth)
    assert record.click_ious[:3] == pytest.approx((0.08, 0.16, 0.24))
    assert (record.single_iou, record.oracle_iou) == (0.08, 1.0)
    assert record.box_ious == (1.0,)  # right at once: nothing to click


def test_clicks_stop_once_the_mask_is_good_and_ten_are_played(truth: Mask) -> None:
    assert len(play("early", Growing(truth, step=15), truth).click_ious) == 7  # complete after seven
    assert len(play("late", Growing(truth, step=8), truth).click_ious) == 12  # 0.96 after twelve
    assert len(play("never", Growing(truth, step=1), truth).click_ious) == MOST_CLICKS


def test_clicks_add_up_and_the_box_stays(truth: Mask) -> None:
    session = Growing(truth, step=8)
    play("object", session, truth)
    assert [len(prompt.points) for prompt in session.prompts[:4]] == [1, 2, 3, 4]
    assert session.prompts[-1].box is not None


def _record(*ious: float) -> Record:
    return Record("x", 0.1, ious, (0.5, 0.9), ious[0], max(ious), 1.0, 0.01)


def test_number_of_clicks_is_the_first_that_reaches_the_target() -> None:
    assert number_of_clicks((0.5, 0.86, 0.84, 0.95), 0.85) == 2
    assert number_of_clicks((0.5, 0.6), 0.85) == MOST_CLICKS


def test_a_finished_object_keeps_its_last_iou() -> None:
    assert after((0.5, 0.97), 10) == 0.97
    assert after((0.5, 0.97), 1) == 0.5


def test_the_summary_averages_objects() -> None:
    summary = summarise("m", [_record(0.4, 0.8), _record(0.6, 1.0)])
    assert summary.clicks[1] == pytest.approx(0.5)
    assert summary.clicks[10] == pytest.approx(0.9)
    assert summary.noc[85] == pytest.approx((20 + 2) / 2)
    assert summary.failed_90 == 0.5
    assert summary.box[0] == 0.5


def test_the_summary_holds_human_clicks_and_calibration_beside_the_standard() -> None:
    rated = replace(_record(0.4, 0.9), human_ious=(0.2, 0.3, 0.8), score=0.9)
    summary = summarise("m", [rated])
    assert summary.human == pytest.approx({1: 0.2, 3: 0.8, 5: 0.8})
    assert (summary.noc[85], summary.human_noc85) == (2, MOST_CLICKS)
    assert summary.calibration_error == pytest.approx(0.5)
    assert "0.200/0.800/0.800" in markdown_table([summary])


@pytest.mark.parametrize("flaw", FLAWS)
def test_a_flaw_leaves_an_iou_in_its_range_and_is_the_same_again(flaw: str) -> None:
    _, disc = _disc_on_grey()
    made = [flawed_mask(disc, FLAWS[flaw], np.random.default_rng(seed)) for seed in range(8)]
    good = [mask for mask in made if mask is not None]
    assert len(good) >= 6
    assert all(IOU_RANGE[0] - 0.03 < mask_iou(mask, disc) < IOU_RANGE[1] + 0.03 for mask in good)
    again = flawed_mask(disc, FLAWS[flaw], np.random.default_rng(0))
    assert again is None if made[0] is None else again is not None and np.array_equal(again, made[0])
    if flaw == "cut":
        assert not (good[0] & ~disc).any()
    if flaw == "leaky":
        assert not (disc & ~good[0]).any()


def test_people_click_inside_the_error_but_not_only_in_its_middle() -> None:
    _, disc = _disc_on_grey()
    rng = np.random.default_rng(0)
    places = [human_click(disc, np.zeros_like(disc), rng) for _ in range(60)]
    assert all(place is not None and place.positive and disc[int(place.y), int(place.x)] for place in places)
    off = [np.hypot(place.x - 50.5, place.y - 45.5) for place in places if place]
    assert max(off) > 22
    assert len(set(off)) > 30
    assert human_click(disc, disc, rng) is None


def test_corrections_are_counted_by_flaw() -> None:
    played = [Correction("a", "cut", (0.8, 0.75, 0.96)), Correction("b", "cut", (0.7, 0.92))]
    row = corrections_table("m", played).splitlines()[2]
    assert row == "| m | cut | 2 | 0.750 / 0.835 / 0.940 / 0.940 | 50 % | 1.5/1.5/6.0 |"


def test_the_index_leaves_out_what_annotators_disagree_on(tmp_path: Path) -> None:
    entries = [{"image": "a.png", "mask": f"{n}.png", "agreement": n / 10} for n in (7, 8, 9)]
    (tmp_path / "index.json").write_text(json.dumps(entries))
    assert [segment.name for segment in read_segments(tmp_path)] == ["9"]


@pytest.mark.parametrize("text", ["{", '{"image": 1}', "[]", '[{"image": "a.png"}]', "[3]"])
def test_a_broken_index_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "index.json").write_text(text)
    with pytest.raises(DatasetError, match=r"index\.json"):
        read_segments(tmp_path)


def test_an_empty_mask_is_refused(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((5, 5), np.uint8)).save(tmp_path / "m.png")
    (tmp_path / "index.json").write_text('[{"image": "a.png", "mask": "m.png"}]')
    with pytest.raises(DatasetError, match="empty"):
        read_segments(tmp_path)[0].truth()


def test_a_sample_is_the_same_again_and_no_larger_than_there_is() -> None:
    segments = [Segment(str(number), Path("a.png"), Path("m.png")) for number in range(9)]
    assert sample_segments(segments, 4) == sample_segments(segments, 4)
    assert len({segment.name for segment in sample_segments(segments, 4)}) == 4
    assert sample_segments(segments, 20) == segments
    with pytest.raises(DatasetError, match="a sample of 0 objects"):
        sample_segments(segments, 0)


def _disc_on_grey() -> tuple[NDArray[np.uint8], Mask]:
    rows, columns = np.mgrid[:90, :120]
    disc = (rows - 45) ** 2 + (columns - 50) ** 2 < 25**2
    image = np.where(disc[..., None], (200, 40, 40), (90, 110, 90)).astype(np.uint8)
    return image, np.asarray(disc)


@pytest.mark.parametrize("method", [GrabCut(), RandomWalker()])
def test_the_classical_methods_find_a_disc(method: Method) -> None:
    image, disc = _disc_on_grey()
    record = play("disc", method.open(image), disc)
    assert record.click_ious[min(2, len(record.click_ious) - 1)] > 0.9
    assert record.box_ious[0] > 0.9


def test_classical_answers_have_the_size_of_a_large_image() -> None:
    image = np.kron(_disc_on_grey()[0], np.ones((5, 5, 1), np.uint8))
    disc = np.kron(_disc_on_grey()[1], np.ones((5, 5), np.bool_))
    answer = GrabCut().open(image).answer(Prompt(box=mask_to_box(disc)))
    assert Size(*answer.mask.shape) == Size(450, 600)
    assert mask_iou(answer.mask, disc) > 0.9
