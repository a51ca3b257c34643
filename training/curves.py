"""The training's own record: one line of numbers every so many steps, and a picture of it."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from training.interactive import StepReport

PLACE = ("minutes", "step", "images")
DRAWN = ("click_iou", "best_iou", "box_iou", "corrected_iou")


class Curves:
    """Averages step reports, which have these fields, and appends them to a CSV file."""

    def __init__(self, path: Path, every: int = 20, *, fields: Sequence[str] = StepReport.fields()) -> None:
        self._path, self._every, self._fields = path, every, tuple(fields)
        self._reports: list[Any] = []
        self._place = ("0", "0", "0")
        if not path.exists():
            path.write_text(",".join([*PLACE, *self._fields]) + "\n")

    def add(self, report: Any, *, minutes: float, step: int, images: int) -> None:
        """Take a report; write a line when enough are there."""
        self._reports.append(report)
        self._place = (f"{minutes:.2f}", str(step), str(images))
        if len(self._reports) == self._every:
            self.flush()

    def flush(self) -> None:
        """Write what has been taken since the last line."""
        if not self._reports:
            return
        means = [_nonzero_mean([getattr(r, name) for r in self._reports]) for name in self._fields]
        with self._path.open("a", newline="") as file:
            csv.writer(file).writerow([*self._place, *(f"{mean:.4f}" for mean in means)])
        self._reports.clear()


def draw_curves(table: Path, picture: Path, names: Sequence[str] = DRAWN) -> None:
    """Draw a curves file as a PNG: IoU over minutes."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    with table.open() as file:
        rows = list(csv.DictReader(file))
    figure, axes = pyplot.subplots(figsize=(7, 4))
    for name in names:
        axes.plot([float(row["minutes"]) for row in rows], _smooth([float(row[name]) for row in rows]), label=name)
    axes.set(xlabel="minutes of training", ylabel="mean IoU on training prompts", ylim=(0, 1))
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(picture, dpi=110, bbox_inches="tight")
    pyplot.close(figure)


def _nonzero_mean(values: list[float]) -> float:
    """Mean of the steps that had such prompts."""
    asked = [value for value in values if value != 0]
    return sum(asked) / len(asked) if asked else 0.0


def _smooth(values: list[float], window: int = 9) -> list[float]:
    return [sum(part) / len(part) for part in (values[max(0, i - window) : i + 1] for i in range(len(values)))]
