"""Pascal VOC's classes and colours, and ``labelmap.txt`` that names others."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clickmask.decoder.errors import DatasetError
from clickmask.decoder.formats.input import read_lines
from clickmask.decoder.formats.options import ReadOptions
from clickmask.decoder.formats.output import write_whole

VOID = 255  # pixels that count as nothing, such as VOC's object borders
MAX_LABEL = 254
CLASSES = (
    "aeroplane",
    "bicycle",
    "bird",
    "boat",
    "bottle",
    "bus",
    "car",
    "cat",
    "chair",
    "cow",
    "diningtable",
    "dog",
    "horse",
    "motorbike",
    "person",
    "pottedplant",
    "sheep",
    "sofa",
    "train",
    "tvmonitor",
)

Color = tuple[int, int, int]


def voc_palette() -> NDArray[np.uint8]:
    """Return VOC's 256 colours, shape (256, 3): the bits of the index dealt out to red, green and blue.

    Example:
        >>> voc_palette()[:3].tolist()
        [[0, 0, 0], [128, 0, 0], [0, 128, 0]]
    """
    index = np.arange(256)[:, None]  # (256, 1)
    channel = np.arange(3)[None]  # (1, 3)
    bits = [((index >> (3 * place + channel)) & 1) << (7 - place) for place in range(3)]
    palette: NDArray[np.uint8] = np.sum(bits, axis=0).astype(np.uint8)
    return palette


def read_classes(folder: Path, options: ReadOptions) -> list[tuple[str, Color]]:
    """Return class names and colours, background left out, in the order of their numbers.

    They stand in ``labelmap.txt`` (lines ``name:r,g,b::``), as CVAT and Datumaro write it, or in
    ``class_names.txt``, as ``labelme2voc`` writes it; where neither is, VOC's own are guessed.

    Raises:
        DatasetError: If the file cannot be read or a line is malformed.
    """
    if (folder / "labelmap.txt").exists():
        return _read_labelmap(folder / "labelmap.txt")
    if (folder / "class_names.txt").exists():
        names = [line.strip() for line in read_lines(folder / "class_names.txt") if line.strip()]
        names = names[1:] if names[:1] == ["__ignore__"] else names  # which is written as void
        return [(name, color(number)) for number, name in enumerate(names) if number]
    options.on_note("class names that are guessed to be Pascal VOC's: there is no labelmap.txt", str(folder))
    return [(name, color(number)) for number, name in enumerate(CLASSES, start=1)]


def write_labelmap(folder: Path, names: Sequence[str]) -> None:
    """Write ``labelmap.txt``: the background and the classes by their palette index.

    Raises:
        DatasetError: If it cannot be written, or a name holds a colon or a line break.
    """
    with write_whole(folder / "labelmap.txt") as file:
        file.write("# label:color_rgb:parts:actions\nbackground:0,0,0::\n")
        for number, name in enumerate(names, start=1):
            if ":" in name or "\n" in name or "\r" in name:
                raise DatasetError(f"category {name!r:.80} has a colon or a line break, which labelmap.txt cannot hold")
            file.write(f"{name}:{','.join(str(value) for value in color(number))}::\n")


def _read_labelmap(path: Path) -> list[tuple[str, Color]]:
    """A line without a colour, as Datumaro writes them, has the palette's at its place."""
    lines = [(number, line) for number, line in enumerate(read_lines(path), start=1) if _says(line)]
    pairs = [_parse(line, place, f"{path}: line {number}") for place, (number, line) in enumerate(lines)]
    return [(name, value) for name, value in pairs if value != (0, 0, 0)]


def _says(line: str) -> bool:
    return bool(line.strip()) and not line.startswith("#")


def _parse(line: str, place: int, where: str) -> tuple[str, Color]:
    name, _, rest = line.partition(":")
    said = rest.split(":")[0].strip()
    if name and not said and place <= MAX_LABEL:
        return name, color(place)
    parts = said.split(",")
    if not name or len(parts) != 3 or not all(part.strip().isdecimal() and int(part) <= 255 for part in parts):
        raise DatasetError(f"{where} is {line!r:.80}, wanted name:red,green,blue::")
    red, green, blue = (int(part) for part in parts)
    return name, (red, green, blue)


def color(number: int) -> Color:
    """Return the palette's colour at an index."""
    red, green, blue = voc_palette()[number].tolist()
    return red, green, blue
