"""Fitting: the same from the same seed, so many steps, and better on what it learned from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
import torch

from clickmask.decoder import DatasetError, Engine, Model, Point
from clickmask.decoder.learning.adapter import Adapter, adapt, blank_tensors
from clickmask.decoder.learning.examples import TRUTH_SIDE, look_at, split
from clickmask.decoder.learning.fit import FitSettings, decoding, fit
from clickmask.decoder.learning.memory import forgetting, remember
from clickmask.decoder.learning.practice import as_shown, crop, make_batch, paste, practise
from tests.decoder.learning.objects import accepted_objects

SHORT = FitSettings(steps=3, batch=2, remembered=2, pictures=1, windows=1)


@pytest.fixture(scope="module")
def engine(nano: Model) -> Engine:
    return Engine(nano)


def test_it_takes_its_steps_and_is_the_same_from_the_same_seed(engine: Engine) -> None:
    objects = accepted_objects(2)
    told: list[float] = []
    first = fit(engine, objects, SHORT, told.append)
    assert told == pytest.approx([1 / 3, 2 / 3, 1.0])
    second = fit(engine, objects, SHORT, lambda _: None)
    other = fit(engine, objects, replace(SHORT, seed=1), lambda _: None)
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)
    assert any(bool(value.any()) for name, value in first.items() if name.endswith(".up"))


def test_it_lowers_the_loss_on_what_it_learns_from(engine: Engine) -> None:
    objects = accepted_objects(2)
    learned = fit(engine, objects, replace(SHORT, steps=10, memory_weight=0.0, batch=2), lambda _: None)
    blank = blank_tensors(engine.model, torch.Generator().manual_seed(0))
    views = [look_at(engine, one, np.random.default_rng(0), 1)[0] for one in objects]

    def loss(tensors: Mapping[str, torch.Tensor]) -> float:
        with torch.no_grad():
            decode = decoding(engine.model, tensors)
            return sum(float(practise(decode, views, 64, np.random.default_rng(seed))) for seed in range(3))

    assert loss(learned) < loss(blank)


def test_the_model_that_learns_is_not_touched(engine: Engine) -> None:
    before = engine.model.network.encode(torch.zeros(1, 3, 256, 256)).image.sum()
    fit(engine, accepted_objects(2), replace(SHORT, steps=1), lambda _: None)
    assert float(engine.model.network.encode(torch.zeros(1, 3, 256, 256)).image.sum()) == float(before)


def test_what_is_remembered_is_forgotten_by_an_adapter_only(engine: Engine) -> None:
    blank = blank_tensors(engine.model, torch.Generator().manual_seed(0))
    decode = decoding(engine.model, blank)
    known = remember(engine, decode, np.random.default_rng(0), 1)[:4]
    assert any(one.earlier is not None for one in known)
    with torch.no_grad():
        assert float(forgetting(decode, known)) == pytest.approx(0.0, abs=1e-5)
        changed = {name: value + 0.05 for name, value in blank.items()}
        assert float(forgetting(decoding(engine.model, changed), known)) > 1e-3


def test_a_view_is_the_whole_picture_and_a_window_of_it(engine: Engine) -> None:
    example = replace(accepted_objects(1)[0], points=(Point(128.0, 64.0), Point(1.0, 1.0, positive=False)))
    views = look_at(engine, example, np.random.default_rng(0), 3)
    assert views[0].whole.truth.shape == (TRUTH_SIDE, TRUTH_SIDE)
    assert views[0].clicks == ((0.5, 0.25),)
    near, whole = views[0].near.truth, views[0].whole.truth
    assert near.mean() > whole.mean()
    batch = make_batch(views[:1])
    logits = torch.where(torch.from_numpy(whole)[None, None], 8.0, -8.0)
    assert ((crop(logits, batch)[0, 0] > 0).numpy() == near).mean() > 0.95
    back = paste(torch.where(torch.from_numpy(near)[None], 8.0, -8.0), batch, 64)
    assert (
        torch.allclose(back.sign(), as_shown(logits).nan_to_num()[:, :, ::2, ::2].sign(), atol=0)
        or ((back[0, 0] > 0) == (torch.nn.functional.avg_pool2d(logits, 2)[0, 0] > 0)).float().mean() > 0.98
    )


def test_an_empty_mask_is_refused(engine: Engine) -> None:
    example = replace(accepted_objects(1)[0], load_mask=lambda: np.zeros((256, 256), np.bool_))
    with pytest.raises(DatasetError, match="empty"):
        look_at(engine, example, np.random.default_rng(0), 1)


def test_every_third_object_is_held_back_for_ever() -> None:
    one = accepted_objects(1)[0]
    objects = [replace(one, key=f"photo {number}") for number in range(60)]
    taught, tried = split(objects)
    assert 10 < len(tried) < 30
    assert len(taught) + len(tried) == 60
    assert {one.key for one in split(objects[:30])[1]} <= {one.key for one in tried}


def test_sam2_learns_too(tiny: Model) -> None:
    """One step of the larger network, with what its faster form keeps of a picture."""
    engine, mask = Engine(tiny), np.zeros((256, 256), np.bool_)
    mask[10:-10, 10:-10] = True  # so large that there is no window to encode beside the whole picture
    example = replace(accepted_objects(1)[0], load_mask=lambda: mask)
    views = look_at(engine, example, np.random.default_rng(0), 1)
    tensors = blank_tensors(engine.model, torch.Generator().manual_seed(0))
    for tensor in tensors.values():
        tensor.requires_grad_()
    practise(decoding(engine.model, tensors), views, 256, np.random.default_rng(1)).backward()  # type: ignore[no-untyped-call]
    assert any(tensor.grad is not None and bool(tensor.grad.any()) for tensor in tensors.values())
    learned = {name: tensor.detach() - (0 if tensor.grad is None else tensor.grad) for name, tensor in tensors.items()}
    assert adapt(engine.model, Adapter("x-1", engine.model.fingerprint, learned)).version.endswith("+x-1")
