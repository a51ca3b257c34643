"""Learn from the accepted objects of a project: fit, try on what was held back, keep it or not, and say so."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import numpy as np
from torch import Tensor

from clickmask.decoder.engine import Engine
from clickmask.decoder.errors import ClickMaskError, DatasetError, DeviceError, LearningError
from clickmask.decoder.learning.adapter import Adapter, adapt, weaken
from clickmask.decoder.learning.examples import Example, split
from clickmask.decoder.learning.fit import FitSettings, Progress, fit
from clickmask.decoder.learning.gate import general_iou, mean_clicks
from clickmask.decoder.learning.job import FIRST_TRY
from clickmask.decoder.learning.outcome import MOST_FORGOTTEN, Outcome
from clickmask.decoder.learning.versions import Versions

LEAST_HELD_BACK = 2
MOST_LEARNED = 120  # objects that are learned from at once: the newest half, and a draw of the others
MOST_TRIED = 24
STRENGTHS = (1.0, 0.7, 0.5)  # shares of what was learned that are tried
FITTED_SHARE = 0.7  # of the whole time, about


def learn(
    engine: Engine, examples: Sequence[Example], versions: Versions, settings: FitSettings, progress: Progress
) -> Outcome:
    """Learn from accepted objects, and use what was learned from now on if it helps.

    Args:
        engine: Of the model as it came; nothing about it changes.
        examples: Every accepted object of the project, oldest first.
        versions: Where what is learned is kept.
        settings: How it is fitted.
        progress: Told the share done, in (0, 1].

    Raises:
        LearningError: If there are too few objects, or nothing can be kept; then what was used is used on.
        CheckpointError: If the version in use was learned on another model.
    """
    started = time.perf_counter()
    if len(examples) < FIRST_TRY:
        raise LearningError(f"{len(examples)} accepted objects teach too little, wanted at least {FIRST_TRY}")
    versions.check_writable()
    taught, tried = (_some(part, most) for part, most in zip(split(examples), (MOST_LEARNED, MOST_TRIED), strict=True))
    readable, unreadable = _readable(engine, [*taught, *tried])
    taught, tried = ([one for one in part if one.key in readable] for part in (taught, tried))
    if len(tried) < LEAST_HELD_BACK or len(taught) < FIRST_TRY // 2:
        raise LearningError(
            f"of {len(examples)} objects {len(taught)} can be learned from and {len(tried)} be tried on, wanted at "
            f"least {FIRST_TRY // 2} and {LEAST_HELD_BACK}: accept some more"
        )
    tensors = fit(engine, taught, settings.for_objects(len(taught)), lambda share: progress(FITTED_SHARE * share))
    general = general_iou(engine)
    adapter, adapted, general_after = _strongest(engine, versions.project, tensors, general)
    outcome = Outcome(
        version=0,
        objects=len(examples) - unreadable,
        held_back=len(tried),
        skipped=unreadable,
        clicks_before=mean_clicks(versions.engine(engine), tried),
        clicks_after=mean_clicks(adapted, tried),
        general_before=general,
        general_after=general_after,
        seconds=time.perf_counter() - started,
    )
    kept = versions.keep(outcome, adapter if outcome.is_better else None)
    progress(1.0)
    return kept


def _strongest(
    engine: Engine, project: str, tensors: Mapping[str, Tensor], general: float
) -> tuple[Adapter, Engine, float]:
    """As much of what was learned as forgets little enough, its engine and what general pictures get; else the least.

    Half of a change gives more than half of its gain, and forgets less than half as much.
    """
    for strength in STRENGTHS:
        adapter = Adapter(project, engine.model.fingerprint, weaken(tensors, strength))
        adapted = engine.with_model(adapt(engine.model, adapter))
        after = general_iou(adapted)
        if general - after <= MOST_FORGOTTEN:
            break
    return adapter, adapted, after


def _some(examples: Sequence[Example], most: int) -> list[Example]:
    """At most so many: the newest half of them, the others drawn, always the same."""
    if len(examples) <= most:
        return list(examples)
    newest, older = examples[-most // 2 :], examples[: -most // 2]
    drawn = np.random.default_rng(len(older)).permutation(len(older))[: most - len(newest)]
    return [*(older[index] for index in sorted(drawn)), *newest]


def _readable(engine: Engine, examples: Sequence[Example]) -> tuple[set[str], int]:
    """Keys of the objects whose picture and mask can be used, and how many cannot."""
    keys = set()
    for example in examples:
        try:
            _check(engine, example)
        except DeviceError:
            raise
        except (ClickMaskError, OSError):
            continue
        keys.add(example.key)
    return keys, len(examples) - len(keys)


def _check(engine: Engine, example: Example) -> None:
    mask, size = example.load_mask(), engine.image_size(example.image)
    if mask.shape != (size.height, size.width) or not mask.any():
        raise DatasetError(f"the mask of {example.key} is empty or not of the {size} picture")
