"""``python -m web`` with one more row in the table of models: a SAM 2 that is quick enough for a test."""

from __future__ import annotations

from decoder.models import MODELS, ModelSpec
from tests.decoder.track.small_sam2 import CONFIG
from web.__main__ import main

if __name__ == "__main__":
    MODELS["small"] = ModelSpec("small", CONFIG, "random weights")
    main()
