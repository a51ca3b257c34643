"""Count the calls of our own functions that one answer takes."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import FrameType

PARTS = tuple(str(Path(__file__).parents[2] / part / "clickmask") for part in ("decoder", "plugin", "web"))


def count_calls(run: Callable[[], object]) -> Counter[str]:
    """Count calls in this thread by function, such as "prompts.check_prompt", of all that is not inside a network."""
    calls: Counter[str] = Counter()

    def note(frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        if event == "call" and code.co_filename.startswith(PARTS) and "/modeling/" not in code.co_filename:
            calls[f"{Path(code.co_filename).stem}.{code.co_qualname}"] += 1

    sys.setprofile(note)
    try:
        run()
    finally:
        sys.setprofile(None)
    return calls
