"""A page of the results, worst first, with pictures: what needs a person's eyes."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from clickmask.decoder.errors import ClickMaskError
from clickmask.decoder.formats.output import write_whole
from clickmask.decoder.images import Pixels
from clickmask.decoder.overlay import draw_overlay
from clickmask.decoder.prompts import Prompt
from clickmask.decoder.shapes import rle_to_mask
from clickmask.decoder.shapes.rle import Rle, rle_to_crop

LoadNamed = Callable[[str], Pixels]

TILE_PX = 240
MARGIN = 0.4  # of the object's sides, shown around it

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{title}</title>
<style>
body {{ font: 15px system-ui, sans-serif; margin: 2rem; color: #1b1b1b; background: #fafafa }}
figure {{ display: inline-block; margin: 0 1rem 1rem 0; width: 240px; vertical-align: top }}
img {{ max-width: 240px; border-radius: 4px }} li {{ margin: .2rem 0 }} code {{ overflow-wrap: anywhere }}
</style>
<h1>{title}</h1>
<p>{summary}</p>
{errors}
<h2>Worst first</h2>
{figures}
</html>
"""


@dataclass(frozen=True, slots=True)
class ReportRow:
    """One object on the page."""

    picture: str  # its name in the data set
    object_id: int
    category: str
    rle: Rle
    score: float
    flags: Sequence[str]


def write_report(
    path: Path,
    rows: Iterable[ReportRow],
    errors: Sequence[str],
    summary: str,
    load: LoadNamed,
) -> None:
    """Write one HTML file that needs nothing else.

    Args:
        path: The file.
        rows: What to show, worst first.
        errors: What went wrong, a line each.
        summary: A sentence above all.
        load: Reads a picture by its name.

    Raises:
        DatasetError: If it cannot be written.
    """
    listed = "".join(f"<li><code>{html.escape(error)}</code></li>" for error in errors)
    with write_whole(path) as file:
        file.write(
            _PAGE.format(
                title="ClickMask: what was labeled",
                summary=html.escape(summary),
                errors=f"<h2>Pictures that could not be labeled</h2><ul>{listed}</ul>" if errors else "",
                figures="\n".join(_figure(row, load) for row in rows),
            )
        )


def _figure(row: ReportRow, load: LoadNamed) -> str:
    try:
        url = _thumbnail(load(row.picture), row.rle)
    except ClickMaskError as error:
        return f"<figure>{html.escape(str(error))}</figure>"
    flags = ", ".join(row.flags)
    words = f"{row.picture} #{row.object_id} {row.category}: {row.score:.2f}" + (f" ({flags})" if flags else "")
    return f'<figure><img src="{url}" alt=""><figcaption>{html.escape(words)}</figcaption></figure>'


def _thumbnail(image: NDArray[np.uint8], rle: Rle) -> str:
    """The object on its picture, some room around it, as a data URL."""
    pixels, left, top = rle_to_crop(rle)
    room_x, room_y = (max(8, round(MARGIN * side)) for side in (pixels.shape[1], pixels.shape[0]))
    rows = slice(max(0, top - room_y), top + pixels.shape[0] + room_y)
    columns = slice(max(0, left - room_x), left + pixels.shape[1] + room_x)
    drawn = draw_overlay(np.ascontiguousarray(image[rows, columns]), rle_to_mask(rle)[rows, columns], Prompt())
    scale = min(1.0, TILE_PX / max(drawn.shape[:2]))
    small = cv2.resize(drawn, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else drawn
    file = io.BytesIO()
    Image.fromarray(np.asarray(small, np.uint8)).save(file, "JPEG", quality=80)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode("ascii")
