"""Label Studio's bitmap: a PNG as data URL whose alpha channel is the mask."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from decoder.shapes.masks import Mask


def mask_to_bitmap_url(mask: Mask) -> str:
    """Encode a mask as ``data:image/png;base64,...``: RGBA, foreground opaque black, background transparent."""
    raise NotImplementedError


def bitmap_url_to_mask(url: str) -> NDArray[np.bool_]:
    """Decode a data URL (or bare base64) of a PNG, shape (H, W).

    With an alpha channel, alpha > 0 is foreground; without one, any colour but black is.

    Raises:
        ShapeError: If it is no base64 or no PNG.
    """
    raise NotImplementedError
