"""How many clicks an object takes after 0, 20 and 100 accepted ones, and what that costs elsewhere.

    python -m benchmarks.learning [--general FOLDER] [--out FOLDER]

Two domains are drawn (``benchmarks.shifted``): cells and printed parts. Later pictures are those of other numbers. The
same is measured with plain fine-tuning of every weight of the mask decoder. ``--general`` is a data set as
``clickmask evaluate`` reads it.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import TypeVar

import numpy as np

from benchmarks.shifted import Shifted, draw_cells, draw_parts
from clickmask.decoder import Engine, ImageSource, load_image, load_model
from clickmask.decoder.evaluation.clicks import read_segments, sample_segments
from clickmask.decoder.learning.adapter import Adapter, adapt
from clickmask.decoder.learning.examples import Example, split
from clickmask.decoder.learning.fit import FitSettings, fit
from clickmask.decoder.learning.gate import clicks_to_good, ious_after_clicks
from clickmask.decoder.mask_rule import MaskRule

DOMAINS: dict[str, Callable[[int], Shifted]] = {"cells": draw_cells, "parts": draw_parts}
ValueT = TypeVar("ValueT")
LATER = 1_000  # number of the first later picture
PLAIN = replace(FitSettings(), rank=0, rate=3e-4, memory_weight=0.0)  # as anybody would, with no memory


@dataclass(frozen=True)
class Row:
    """What was measured after so many accepted objects."""

    domain: str
    method: str
    objects: int
    clicks: float  # to IoU .85, at most 20, on later pictures
    general: float | None  # mean IoU after three clicks elsewhere
    seconds: float  # of processor time, to fit


def main() -> None:
    """Measure, and write a table and a plot."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--domains", nargs="+", default=list(DOMAINS), choices=DOMAINS)
    parser.add_argument("--objects", nargs="+", type=int, default=[20, 100], help="accepted (default: 20 100)")
    parser.add_argument("--later", type=int, default=40, help="objects to try on (default: %(default)s)")
    parser.add_argument("--general", type=Path, help="a data set as `clickmask evaluate` reads it")
    parser.add_argument("--limit", type=int, default=60, help="objects of it (default: %(default)s)")
    parser.add_argument("--model", default="nano")
    parser.add_argument("--out", type=Path, default=Path("learning"))
    given = parser.parse_args()
    engine = Engine(load_model(given.model))
    general = general_objects(given.general, given.limit) if given.general else []
    rows: list[Row] = []
    for domain in given.domains:
        for row in measure(engine, domain, given.objects, given.later, general):
            rows.append(row)
            print(line(row, rows), flush=True)
            write(rows, given.out)


def write(rows: Sequence[Row], out: Path) -> None:
    """Write what is measured so far."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "table.md").write_text("\n".join([*HEAD, *(line(row, rows) for row in rows)]) + "\n")
    (out / "rows.json").write_text(json.dumps([asdict(row) for row in rows]))
    draw(rows, out / "learning.png")


def measure(
    engine: Engine, domain: str, counts: Sequence[int], later: int, general: Sequence[Example]
) -> Iterator[Row]:
    """One domain: as it came, and by each method after each number of objects."""
    accepted, tried = objects(domain, 0, max(counts)), objects(domain, LATER, later)
    yield Row(domain, "as it came", 0, clicks(engine, tried), elsewhere(engine, general), 0.0)
    for method, settings in (("adapter", FitSettings()), ("all weights", PLAIN)):
        for count in counts:
            taught, _ = split(accepted[:count])
            started = time.process_time()
            tensors = fit(engine, taught, settings.for_objects(len(taught)), lambda _: None)
            seconds = time.process_time() - started
            learned = engine.with_model(adapt(engine.model, Adapter("x", engine.model.fingerprint, tensors)))
            yield Row(domain, method, count, clicks(learned, tried), elsewhere(learned, general), seconds)


def objects(domain: str, first: int, count: int) -> list[Example]:
    """So many objects of pictures from a number on, in an order that mixes the pictures."""
    found: list[Example] = []
    number = first
    while len(found) < count:
        picture = DOMAINS[domain](number)
        source = ImageSource(f"{domain} {number}", partial(_same, picture.pixels))
        found += [
            Example(f"{domain} {number} {place}", source, partial(_same, mask))
            for place, mask in enumerate(picture.masks)
        ]
        number += 1
    return [found[index] for index in np.random.default_rng(0).permutation(len(found))[:count]]


def general_objects(folder: Path, limit: int) -> list[Example]:
    """A sample of a data set."""
    return [
        Example(one.name, ImageSource(str(one.image), partial(load_image, one.image)), one.truth)
        for one in sample_segments(read_segments(folder), limit)
    ]


def clicks(engine: Engine, tried: Sequence[Example]) -> float:
    """To IoU .85 as people click, 20 where it is never reached."""
    return fmean(clicks_to_good(engine, example, most=20) for example in tried)


def elsewhere(engine: Engine, general: Sequence[Example]) -> float | None:
    """Mean IoU after three clicks."""
    if not general:
        return None
    return fmean(ious_after_clicks(engine, one.image, one.load_mask(), one.key, 3, MaskRule())[-1] for one in general)


HEAD = (
    "| pictures | learned | objects | clicks to .85 | | general mIoU@3 | processor s |",
    "|---|---|---|---|---|---|---|",
)


def line(row: Row, rows: Sequence[Row]) -> str:
    """One row of the table."""
    before = next(one for one in rows if one.domain == row.domain)
    change = "" if row.objects == 0 else f"{100 * (row.clicks / before.clicks - 1):+.0f} %"
    lost = "" if row.general is None else f"{row.general:.3f}"
    return f"| {row.domain} | {row.method} | {row.objects} | {row.clicks:.2f} | {change} | {lost} | {row.seconds:.0f} |"


def draw(rows: Sequence[Row], path: Path) -> None:
    """Clicks per object against objects labeled."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, len({row.domain for row in rows}), figsize=(9, 3.2), squeeze=False)
    for axis, domain in zip(axes[0], dict.fromkeys(row.domain for row in rows), strict=True):
        own = [row for row in rows if row.domain == domain]
        start, *rest = own
        most = max(row.objects for row in own)
        axis.plot([0, most], [start.clicks] * 2, "--", color="#888", label="without learning")
        for method, color in (("adapter", "#2563eb"), ("all weights", "#e0662f")):
            points = [(0, start.clicks), *((row.objects, row.clicks) for row in rest if row.method == method)]
            axis.plot(*zip(*points, strict=True), "o-", color=color, label=method)
        axis.set(title=domain, xlabel="accepted objects", ylabel="clicks to IoU .85", ylim=(0, None))
    axes[0][0].legend(frameon=False)
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def _same(value: ValueT) -> ValueT:
    return value


if __name__ == "__main__":
    main()
