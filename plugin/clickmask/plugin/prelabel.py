"""``clickmask prelabel --project 3``: short for ``clickmask backend prelabel --project 3``."""

from __future__ import annotations

from collections.abc import Sequence

from clickmask.plugin import __main__ as backend


def main(arguments: Sequence[str]) -> int:
    """Run the command line; returns the exit code."""
    return backend.main(["prelabel", *arguments])
