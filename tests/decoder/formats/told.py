"""Reads a file and notes what the reader tells."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from clickmask.decoder.errors import ClickMaskError
from clickmask.decoder.formats.options import ReadOptions
from clickmask.decoder.formats.records import Dataset


def read_told(read: Callable[[Path, ReadOptions], Dataset], path: Path) -> tuple[Dataset, list[str]]:
    """The data set, and what was wrong with what was left out, without the file's name."""
    problems: list[ClickMaskError] = []
    dataset = read(path, ReadOptions(on_problem=problems.append))
    return dataset, [str(problem).removeprefix(f"{path}: ") for problem in problems]
