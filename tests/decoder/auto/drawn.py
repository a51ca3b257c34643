"""Answers made up from drawn discs, equal wherever they are computed: what a network would say, without one."""

from __future__ import annotations

import zlib

import numpy as np
import torch
from torch import Tensor

CELLS = 64  # of the masks' grid, a side
LATTICE_PX = 60  # one disc in each square of so many pixels of the image
SCALES = (1.0, 0.45, 1.0, 2.2)  # radii of the single mask and the three candidates, of the disc's own


def draw_answer(
    crop: tuple[int, int, int, int], x: float, y: float, mask: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Four masks and their scores for a click.

    Args:
        crop: Left, top, right, bottom in the image [px].
        x: Of the click, in pixels of the crop.
        y: Likewise.
        mask: Logits of an earlier answer, (CELLS, CELLS).

    Returns:
        Logits (4, CELLS, CELLS) and predicted IoU (4,).
    """
    left, top, right, bottom = crop
    column, row = int((left + x) // LATTICE_PX), int((top + y) // LATTICE_PX)
    rng = np.random.default_rng(zlib.crc32(f"{column} {row}".encode()))
    center, radius = rng.uniform(0.3, 0.7, 2) * LATTICE_PX + np.array([column, row]) * LATTICE_PX, rng.uniform(8, 40)
    steep, scores = rng.uniform(0.1, 1.0, 4), rng.uniform(0.5, 1.0, 4)
    noise = np.random.default_rng(zlib.crc32(f"{left + x:.2f} {top + y:.2f}".encode())).uniform(0, 0.01, 4)
    across = left + (np.arange(CELLS) + 0.5) * (right - left) / CELLS
    down = top + (np.arange(CELLS) + 0.5) * (bottom - top) / CELLS
    distance = np.hypot(across[None] - center[0], down[:, None] - center[1])
    spots = 6 * np.sin(across[None] / 4) * np.sin(down[:, None] / 3.5)  # holes and islands
    logits = np.stack([(radius * scale - distance) * slope + spots for scale, slope in zip(SCALES, steep, strict=True)])
    drawn = torch.from_numpy(logits.astype(np.float32))
    if mask is not None:
        drawn = torch.stack([mask * 1.5, mask, mask * 0.5, mask - 1])
    return drawn, torch.from_numpy((scores + noise).astype(np.float32).clip(0, 1))
