"""Pascal VOC's classes and colours, and ``labelmap.txt`` that names others."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clickmask.decoder.errors import DatasetError
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


def read_labelmap(folder: Path) -> dict[str, Color]:
    """Return class names and colours of ``labelmap.txt`` (lines ``name:r,g,b::``), background left out.

    Where there is no such file, VOC's own classes are returned.

    Raises:
        DatasetError: If it cannot be read or a line is malformed.
    """
    path = folder / "labelmap.txt"
    if not path.exists():
        return {name: _color(number) for number, name in enumerate(CLASSES, start=1)}
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path}: cannot be read: {error}") from None
    pairs = [_parse(line, f"{path}: line {number}") for number, line in enumerate(lines, start=1) if _says(line)]
    return {name: color for name, color in pairs if color != (0, 0, 0)}


def write_labelmap(folder: Path, numbers: Mapping[str, int]) -> None:
    """Write ``labelmap.txt``: the background and the classes by their palette index.

    Raises:
        DatasetError: If it cannot be written, or a name holds a colon or a line break.
    """
    with write_whole(folder / "labelmap.txt") as file:
        file.write("# label:color_rgb:parts:actions\nbackground:0,0,0::\n")
        for name, number in numbers.items():
            if ":" in name or "\n" in name or "\r" in name:
                raise DatasetError(f"category {name!r:.80} has a colon or a line break, which labelmap.txt cannot hold")
            file.write(f"{name}:{','.join(str(value) for value in _color(number))}::\n")


def _says(line: str) -> bool:
    return bool(line.strip()) and not line.startswith("#")


def _parse(line: str, where: str) -> tuple[str, Color]:
    name, _, rest = line.partition(":")
    parts = rest.split(":")[0].split(",")
    if not name or len(parts) != 3 or not all(part.strip().isdecimal() and int(part) <= 255 for part in parts):
        raise DatasetError(f"{where} is {line!r:.80}, wanted name:red,green,blue::")
    red, green, blue = (int(part) for part in parts)
    return name, (red, green, blue)


def _color(number: int) -> Color:
    red, green, blue = voc_palette()[number].tolist()
    return red, green, blue
