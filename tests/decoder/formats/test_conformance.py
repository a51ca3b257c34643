"""What ``docs/formats.md`` and the formats' own declarations say is what real runs show."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from benchmarks.conformance import BEGIN, END, measure, tables
from clickmask.decoder.formats.losses import Feature
from clickmask.decoder.formats.registry import FORMATS

PAGE = Path(__file__).resolve().parents[3] / "docs" / "formats.md"
DECLARED: dict[Feature, str] = {
    "masks": "M",
    "classes": "C",
    "file names": "N",
    "scores": "S",
    "crowds": "G",
    "tracks": "T",
    "object fields": "F",
    "images without objects": "E",
    "polygons": "D",
    "boxes": "B",
}

measured = cache(measure)


def test_the_page_holds_what_real_runs_give() -> None:
    """``python -m benchmarks.conformance`` prints the tables anew."""
    text = PAGE.read_text(encoding="utf-8")
    assert text[text.index(BEGIN) : text.index(END) + len(END)] == "\n".join(tables(measured()))


@pytest.mark.parametrize("name", FORMATS)
def test_what_a_format_is_said_to_hold_it_holds(name: str) -> None:
    survived = measured()[name, name]
    if name == "label-studio":  # boxes and polygons stay what they are only with the tag that is theirs
        survived = survived.replace("D", "").replace("B", "")
    assert {feature for feature, letter in DECLARED.items() if letter in survived} == FORMATS[
        name
    ].holds & DECLARED.keys()


@pytest.mark.parametrize("source", FORMATS)
@pytest.mark.parametrize("target", FORMATS)
def test_a_pair_loses_only_what_one_of_the_two_loses(source: str, target: str) -> None:
    """But tracks: MOTS numbers every object, and every object of YouTube-VIS is a track."""
    survived = measured()
    both = set(survived[source, source]) & set(survived[target, target])
    assert both - set(survived[source, target]) == set()
