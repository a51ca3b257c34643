"""The two steps: no memory of earlier calls, exact batches, exact windows."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch.nn import functional as F  # noqa: N812

from clickmask.decoder import (
    Box,
    DeviceError,
    ImageEmbedding,
    ImageError,
    MaskSet,
    Model,
    Point,
    Prompt,
    PromptError,
    Size,
    binarize,
    encode_image,
    predict_many,
    predict_masks,
)
from clickmask.decoder.segment import BATCH_ROUNDING

SIZE = Size(90, 120)
POINTS = st.builds(Point, st.floats(0, 120), st.floats(0, 90), st.booleans())
BOXES = st.builds(lambda x, y, w, h: Box(x, y, x + w, y + h), *[st.floats(0, 80)] * 2, *[st.floats(1, 40)] * 2)
PROMPTS = st.builds(Prompt, st.lists(POINTS, min_size=1, max_size=4).map(tuple), st.none() | BOXES)


def photo(seed: int) -> NDArray[np.uint8]:
    """Coloured noise of SIZE."""
    return np.random.default_rng(seed).integers(0, 256, (SIZE.height, SIZE.width, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def embeddings(nano: Model) -> list[ImageEmbedding]:
    """Two images."""
    return [encode_image(nano, photo(seed)) for seed in (1, 2)]


def same(a: MaskSet, b: MaskSet) -> bool:
    """Equal bit for bit."""
    return (
        torch.equal(a.logits, b.logits)
        and torch.equal(a.predicted_iou, b.predicted_iou)
        and a.object_score == b.object_score
    )


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=PROMPTS, between=st.lists(PROMPTS, max_size=3))
def test_prompts_in_between_never_change_a_result(
    nano: Model, embeddings: list[ImageEmbedding], first: Prompt, between: list[Prompt]
) -> None:
    before = predict_masks(nano, embeddings[0], first)
    for prompt in between:
        predict_masks(nano, embeddings[1], prompt)
        predict_masks(nano, embeddings[0], prompt)
    assert same(before, predict_masks(nano, embeddings[0], first))


def test_sixteen_threads_on_two_images_give_the_single_thread_answers(
    nano: Model, embeddings: list[ImageEmbedding]
) -> None:
    rng = np.random.default_rng(3)
    jobs = [(embeddings[n % 2], Prompt(points=(Point(*rng.uniform(0, 90, 2)),) * (1 + n % 3))) for n in range(64)]
    alone = [predict_masks(nano, *job) for job in jobs]
    with ThreadPoolExecutor(16) as threads:
        together = list(threads.map(lambda job: predict_masks(nano, *job), jobs))
    assert all(same(a, b) for a, b in zip(alone, together, strict=True))


def test_a_batch_of_mixed_prompts_gives_the_answers_of_one_by_one(
    nano: Model, embeddings: list[ImageEmbedding]
) -> None:
    earlier = predict_masks(nano, embeddings[0], Prompt(points=(Point(60, 40),))).logits[1]
    prompts = [
        Prompt(points=(Point(10, 10),)),
        Prompt(points=(Point(70, 50), Point(5, 5, positive=False))),
        Prompt(box=Box(10, 20, 60, 70)),
        Prompt(box=Box(10, 20, 60, 70), points=(Point(30, 30),)),
        Prompt(points=(Point(60, 40),), mask_logits=earlier),
        Prompt(mask_logits=earlier),
    ]
    jobs = [(embedding, prompt) for prompt in prompts for embedding in embeddings]
    for job, batched in zip(jobs, predict_many(nano, jobs), strict=True):
        alone = predict_masks(nano, *job)
        torch.testing.assert_close(batched.logits, alone.logits, atol=1e-3, rtol=1e-4)
        torch.testing.assert_close(batched.predicted_iou, alone.predicted_iou, atol=1e-4, rtol=0)


def test_a_batch_gives_the_answers_of_one_by_one_up_to_rounding(nano: Model, embeddings: list[ImageEmbedding]) -> None:
    """Under load, one of 2,200 answers differed by a pixel; this is what is promised of it."""
    rng = np.random.default_rng(5)
    jobs = [(embeddings[n % 2], Prompt(points=(Point(*rng.uniform(0, 90, 2)),))) for n in range(48)]
    alone = [predict_masks(nano, *job) for job in jobs]
    for size in (2, 5, 32):
        batches = [jobs[start : start + size] for start in range(0, len(jobs), size)]
        batched = [answer for batch in batches for answer in predict_many(nano, batch)]
        again = [answer for batch in batches for answer in predict_many(nano, batch)]
        assert all(same(a, b) for a, b in zip(batched, again, strict=True))
        for one, other in zip(alone, batched, strict=True):
            assert float((one.logits - other.logits).abs().max()) <= BATCH_ROUNDING
            assert float((one.predicted_iou - other.predicted_iou).abs().max()) <= BATCH_ROUNDING
            assert bool((one.logits[(one.logits > 0) != (other.logits > 0)].abs() <= BATCH_ROUNDING).all())


def test_a_bad_prompt_is_refused(nano: Model, embeddings: list[ImageEmbedding]) -> None:
    with pytest.raises(PromptError, match="outside the 120x90 image"):
        predict_masks(nano, embeddings[0], Prompt(points=(Point(500, 5),)))


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4, 4, 3), np.float32),
        np.zeros((0, 4, 3), np.uint8),
    ],
)
def test_arrays_that_are_no_rgb_image_are_refused(nano: Model, image: NDArray[np.uint8]) -> None:
    with pytest.raises(ImageError):
        encode_image(nano, image)


def test_a_full_device_is_named(nano: Model, embeddings: list[ImageEmbedding], monkeypatch: pytest.MonkeyPatch) -> None:
    """A GPU that was too small ended in a traceback."""

    def fill(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.")

    for step in ("encode", "decode"):
        monkeypatch.setattr(type(nano.network), step, fill)
    for ask in (
        lambda: encode_image(nano, np.zeros((9, 9, 3), np.uint8)),
        lambda: predict_masks(nano, embeddings[0], Prompt(points=(Point(5, 5),))),
    ):
        with pytest.raises(DeviceError, match="the memory of cpu does not suffice for nano, wanted a smaller model"):
            ask()
    assert not torch.is_inference_mode_enabled()


@pytest.mark.parametrize("size", [Size(1, 1), Size(7, 300), Size(64, 64), Size(333, 250), Size(1000, 40)])
@pytest.mark.parametrize("seed", range(4))
def test_the_window_of_a_mask_is_cut_exactly_as_the_whole(size: Size, seed: int) -> None:
    """Noise around an object would hide a wrong window, so the object is small and far from the middle."""
    noise = torch.randn(64, 48, generator=torch.Generator().manual_seed(seed))
    logits = torch.full((64, 48), -5.0)
    rows, columns = slice(16 * seed, 16 * seed + 9), slice(10 * seed, 10 * seed + 14)
    logits[rows, columns] = noise[rows, columns]
    whole = F.interpolate(logits[None, None], (size.height, size.width), mode="bilinear")[0, 0]
    certain = (whole.abs() > 1e-5).numpy()  # at 0 the two may round differently
    assert (binarize(logits, size) == (whole > 0).numpy())[certain].all()


def test_an_empty_mask_stays_empty() -> None:
    assert not binarize(torch.full((8, 8), -1.0), Size(20, 30)).any()


def test_a_logit_of_exactly_0_is_background() -> None:
    """The threshold is exclusive at the image's size as on the grid."""
    logits = torch.tensor([[0.0, 1.0], [-1.0, 0.0]])
    assert binarize(logits, Size(2, 2)).tolist() == [[False, True], [False, False]]
