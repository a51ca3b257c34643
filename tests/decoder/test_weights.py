"""The model card speaks of the weights that are shipped."""

from __future__ import annotations

import hashlib
import re

from clickmask.decoder.checkpoints import NANO_WEIGHTS, parameter_count
from clickmask.decoder.models import MODELS

CARD = NANO_WEIGHTS.with_name("nano.md")


def test_the_card_names_this_very_file() -> None:
    assert hashlib.sha256(NANO_WEIGHTS.read_bytes()).hexdigest() in CARD.read_text()


def test_the_card_counts_the_parameters() -> None:
    assert f"{parameter_count(MODELS['nano']):,}" in CARD.read_text()


def test_the_weights_fit_the_promise() -> None:
    assert NANO_WEIGHTS.stat().st_size <= 20_000_000


def test_the_card_leaves_no_figure_open_and_credits_what_asks_for_it() -> None:
    card = CARD.read_text()
    assert not re.search(r"@[A-Z_]+@", card)
    for licence in ("CC-BY-2.0", "CC-BY-3.0", "CC-BY-4.0"):
        assert licence in card
    assert NANO_WEIGHTS.with_name("CREDITS.md").is_file()
