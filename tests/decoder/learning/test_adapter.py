"""An adapter is a value: a model with one is another model, and nothing else has changed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import cast

import numpy as np
import pytest
import torch
from torch import nn

from clickmask.decoder import CheckpointError, Engine, ImageEmbedding, ImageSource, Model, Point, Prompt, predict_masks
from clickmask.decoder.learning.adapter import Adapter, adapt, blank_tensors
from clickmask.decoder.learning.drawn import draw_pictures
from clickmask.decoder.optimize import optimize, plain
from clickmask.decoder.segment import encode_image

PICTURE = draw_pictures(1)[0]
CLICK = Prompt(points=(Point(120.0, 90.0),))
CLICKS = Prompt(points=(Point(120.0, 90.0), Point(20.0, 20.0, positive=False)), mask_logits=torch.zeros(64, 64))


def adapter(model: Model, *, strength: float = 0.02, seed: int = 0, name: str = "flowers-3") -> Adapter:
    """One that changes every tensor it can."""
    generator = torch.Generator().manual_seed(seed)
    tensors = {
        key: value if key.endswith(".down") else strength * torch.randn(value.shape, generator=generator)
        for key, value in blank_tensors(model, generator).items()
    }
    return Adapter(name, model.fingerprint, tensors)


def answer(model: Model, embedding: ImageEmbedding, prompt: Prompt = CLICK) -> torch.Tensor:
    return predict_masks(model, embedding, prompt).logits


def test_a_blank_adapter_changes_no_bit(nano: Model) -> None:
    fast = optimize(nano)
    blank = Adapter("nothing", nano.fingerprint, blank_tensors(nano, torch.Generator().manual_seed(0)))
    embedding = encode_image(fast, PICTURE.pixels)
    assert torch.equal(answer(adapt(fast, blank), embedding), answer(fast, embedding))


def test_the_adapted_model_shares_the_trunk_and_leaves_the_other_as_it_was(nano: Model) -> None:
    fast = optimize(nano)
    embedding = encode_image(fast, PICTURE.pixels)
    before = answer(fast, embedding)
    adapted = adapt(fast, adapter(nano))
    assert not torch.equal(answer(adapted, embedding), before)
    assert torch.equal(answer(fast, embedding), before)
    own, base = (cast(nn.Module, plain(model).network).state_dict() for model in (adapted, fast))
    changed = {name for name in own if own[name].data_ptr() != base[name].data_ptr()}
    assert changed
    assert all(name.startswith(("mask_decoder.", "judge.")) for name in changed)


def test_adapting_the_plain_and_the_optimised_model_is_the_same(nano: Model) -> None:
    learned = adapter(nano)
    embedding = encode_image(optimize(nano), PICTURE.pixels)
    plainly, fast = adapt(nano, learned), adapt(optimize(nano), learned)
    torch.testing.assert_close(answer(plainly, embedding, CLICKS), answer(fast, embedding, CLICKS), atol=1e-3, rtol=0)


def test_its_name_and_fingerprint_tell_it_from_the_model(nano: Model) -> None:
    first, second = adapt(nano, adapter(nano)), adapt(nano, adapter(nano, seed=1))
    assert (nano.version, first.version) == ("nano", "nano+flowers-3")
    assert len({nano.fingerprint, first.fingerprint, second.fingerprint}) == 3


def test_an_adapter_of_other_weights_is_refused(nano: Model, tiny: Model) -> None:
    with pytest.raises(CheckpointError, match="other weights than these"):
        adapt(tiny, adapter(nano))


def test_one_that_does_not_fit_is_refused(nano: Model) -> None:
    wrong = Adapter("wrong", nano.fingerprint, {"mask_decoder.mask_tokens.weight.shift": torch.zeros(3, 3)})
    with pytest.raises(CheckpointError, match="does not fit"):
        adapt(nano, wrong)


def test_it_is_small(nano: Model, tiny: Model) -> None:
    assert adapter(nano).nbytes <= 300_000
    assert adapter(tiny).nbytes <= 2_000_000


def test_sam2_is_adapted_in_its_faster_form_too(tiny: Model) -> None:
    fast = optimize(tiny)
    embedding = encode_image(fast, PICTURE.pixels)
    learned = adapter(tiny, strength=0.05)
    adapted = adapt(fast, learned)
    assert not torch.equal(answer(adapted, embedding), answer(fast, embedding))
    plain_answer = answer(adapt(tiny, learned), ImageEmbedding(embedding.plain_features, embedding.size))
    torch.testing.assert_close(answer(adapted, embedding), plain_answer, atol=2e-2, rtol=1e-3)


def test_one_engine_serves_many_adapters_at_once_and_mixes_none(nano: Model) -> None:
    """16 threads, 4 models, one queue and one cache: every answer is that of its own model, encoded once."""
    loads = []

    def load() -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        loads.append(1)
        return PICTURE.pixels

    image = ImageSource("picture", load)
    base = Engine(nano)
    engines = [base, *(base.with_model(adapt(base.model, adapter(nano, seed=seed))) for seed in range(3))]
    alone = [engine.segment(image, CLICK).logits for engine in engines]
    assert len({logits.numpy().tobytes() for logits in alone}) == 4
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda n: engines[n % 4].chain.segment(image, CLICK).logits, range(24)))
    for number, logits in enumerate(found):
        torch.testing.assert_close(logits, alone[number % 4], atol=1e-3, rtol=0)
    assert loads == [1]
