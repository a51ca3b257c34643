"""The evaluation's table, plot and sheet of examples."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from clickmask.decoder.evaluation.clicks import Record, Segment, Summary, after
from clickmask.decoder.evaluation.methods import Answer, Method
from clickmask.decoder.evaluation.person import Mask, next_click
from clickmask.decoder.images import load_image
from clickmask.decoder.overlay import draw_overlay
from clickmask.decoder.prompts import Point, Prompt
from clickmask.decoder.shapes import mask_iou, mask_to_box

TILE_PX = 200
SHOWN_CLICKS = 3


def markdown_table(summaries: Sequence[Summary]) -> str:
    """One row per method, GitHub Markdown."""
    head = (
        "| method | objects | mIoU, 1/2/3/5/10 clicks | single mask / oracle, 1 click | box | box + 1/3/5/10 clicks "
        "| NoC@80/85/90 | never 0.90 | human-like clicks 1/3/5 | their NoC@85 | calibration error | s per click |"
    )
    return "\n".join([head, "|" + "---|" * 12, *(_row(summary) for summary in summaries)])


def _row(s: Summary) -> str:
    cells = [
        s.method,
        str(s.segments),
        _slashed(s.clicks.values()),
        _slashed((s.single, s.oracle)),
        f"{s.box[0]:.3f}",
        _slashed([quality for count, quality in s.box.items() if count]),
        "/".join(f"{number:.1f}" for number in s.noc.values()),
        f"{s.failed_90:.2f}",
        _slashed(s.human.values()),
        f"{s.human_noc85:.1f}",
        "" if s.calibration_error is None else f"{s.calibration_error:.3f}",
        f"{s.seconds_per_click:.3f}",
    ]
    return "| " + " | ".join(cells) + " |"


def _slashed(values: Iterable[float]) -> str:
    return "/".join(f"{value:.3f}" for value in values)


def draw_plot(records: Mapping[str, Sequence[Record]], path: Path) -> None:
    """Mean IoU over the number of clicks, one line per method, dashed after a box."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4.5))
    for name, played in records.items():
        clicks = range(1, 11)
        line = axes.plot(clicks, [np.mean([after(r.click_ious, n) for r in played]) for n in clicks], label=name)[0]
        boxed = [np.mean([after(r.box_ious, n + 1) for r in played]) for n in range(11)]
        axes.plot(range(11), boxed, "--", color=line.get_color(), label=f"{name}, box first")
    axes.set(xlabel="clicks", ylabel="mean IoU", ylim=(0, 1))
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=110, bbox_inches="tight")
    pyplot.close(figure)


def worst_and_typical(records: Sequence[Record], count: int) -> list[str]:
    """Names for the sheet: the worst after three clicks, then evenly spread ones from bad to good."""
    ranked = sorted(records, key=lambda record: after(record.click_ious, SHOWN_CLICKS))
    worst = ranked[: count // 2]
    rest = ranked[count // 2 :]
    spread = [rest[int(place)] for place in np.linspace(0, len(rest) - 1, min(len(rest), count - len(worst)))]
    return [record.name for record in [*worst, *spread]]


def draw_sheet(method: Method, segments: Sequence[Segment], path: Path) -> None:
    """A row per object: truth, first click, third click, box; each answer with its IoU."""
    rows = [np.hstack(_tiles(method, segment)) for segment in segments]
    columns = 1 if len(rows) < 8 else 2
    rows += [np.full_like(rows[0], 255)] * (-len(rows) % columns)
    sheet = np.vstack([np.hstack(rows[index : index + columns]) for index in range(0, len(rows), columns)])
    Image.fromarray(sheet).save(path)


def _tiles(method: Method, segment: Segment) -> list[NDArray[np.uint8]]:
    image, truth = load_image(segment.image), segment.truth()
    session = method.open(image)
    tiles = [_tile(draw_overlay(image, truth, Prompt()), segment.name)]
    points: tuple[Point, ...] = ()
    answer = Answer(np.zeros_like(truth))
    for number in range(1, SHOWN_CLICKS + 1):
        click = next_click(truth, answer.mask)
        if click is not None:
            points = (*points, click)
            answer = session.answer(Prompt(points=points, mask_logits=answer.logits))
        if number in (1, SHOWN_CLICKS):
            tiles.append(_answer_tile(image, answer.mask, truth, Prompt(points=points), f"click {number}"))
    boxed = Prompt(box=mask_to_box(truth))
    return [*tiles, _answer_tile(image, session.answer(boxed).mask, truth, boxed, "box")]


def _answer_tile(image: NDArray[np.uint8], mask: Mask, truth: Mask, prompt: Prompt, title: str) -> NDArray[np.uint8]:
    return _tile(draw_overlay(image, mask, prompt), f"{title}: {mask_iou(mask, truth):.2f}")


def _tile(image: NDArray[np.uint8], title: str) -> NDArray[np.uint8]:
    """The picture fitted into a square with a line of text under it."""
    scale = TILE_PX / max(image.shape[:2])
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    tile = np.full((TILE_PX + 18, TILE_PX, 3), 255, np.uint8)
    tile[: small.shape[0], : small.shape[1]] = small
    return np.asarray(
        cv2.putText(tile, title, (3, TILE_PX + 13), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (0, 0, 0), 1, cv2.LINE_AA), np.uint8
    )
