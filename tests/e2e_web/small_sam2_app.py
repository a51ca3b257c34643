"""``clickmask app`` with one more row in the table of models: a SAM 2 that is quick enough for a test."""

from __future__ import annotations

import sys

from clickmask.decoder.models import MODELS, ModelSpec
from clickmask.web.__main__ import main
from tests.decoder.track.small_sam2 import CONFIG

if __name__ == "__main__":
    MODELS["small"] = ModelSpec("small", "SAM 2.1", CONFIG, "random weights")
    raise SystemExit(main(sys.argv[1:]))
