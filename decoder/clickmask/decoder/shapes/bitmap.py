"""Label Studio's bitmap: a PNG as data URL whose alpha channel is the mask."""

from __future__ import annotations

import base64
import binascii

import cv2
import numpy as np
from numpy.typing import NDArray

from clickmask.decoder.errors import ShapeError
from clickmask.decoder.prompts import Size
from clickmask.decoder.shapes.masks import Mask, as_bytes, check_size

PREFIX = "data:image/png;base64,"
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
SIZE_BYTES = slice(16, 24)  # width and height in the header that opens every PNG


def mask_to_bitmap_url(mask: Mask) -> str:
    """Encode a mask as ``data:image/png;base64,...``: RGBA, foreground opaque black, background transparent.

    Example:
        >>> mask_to_bitmap_url(np.ones((2, 3), bool))[:22]
        'data:image/png;base64,'
    """
    pixels = as_bytes(mask)
    image = np.zeros((*pixels.shape, 4), np.uint8)
    image[:, :, 3] = np.where(pixels, 255, 0)
    encoded, png = cv2.imencode(".png", image)
    if not encoded:
        raise ShapeError(f"a mask of shape {pixels.shape} cannot be written as PNG")
    return PREFIX + base64.b64encode(png.tobytes()).decode("ascii")


def bitmap_url_to_mask(url: str, size: Size | None = None) -> NDArray[np.bool_]:
    """Decode a data URL (or bare base64) of a PNG, shape (H, W).

    With an alpha channel, alpha > 0 is foreground; without one, any colour but black is.

    Args:
        url: The text.
        size: What the bitmap must have, compared before it is unpacked; None takes any.

    Raises:
        ShapeError: If it is no base64, no PNG or of another size.

    Example:
        >>> bitmap_url_to_mask(mask_to_bitmap_url(np.eye(2, dtype=bool))).tolist()
        [[True, False], [False, True]]
    """
    image = _decode_png(_decode_base64(url), size)
    if image.ndim == 3:
        image = image[:, :, 3] if image.shape[2] == 4 else image.max(axis=2)
    return np.asarray(image > 0)


def _decode_base64(url: str) -> bytes:
    if not isinstance(url, str):
        raise ShapeError(f"the bitmap is a {type(url).__name__}, wanted a data URL as text")
    text = url.split(",", 1)[1] if url.startswith("data:") and "," in url else url
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ShapeError(f"the bitmap {url[:40]!r} is no base64, wanted {PREFIX}...") from None


def _decode_png(data: bytes, wanted: Size | None) -> NDArray[np.uint8]:
    """Decode PNG bytes as they are stored, refusing sizes no mask may have before memory is taken."""
    if not data.startswith(PNG_SIGNATURE) or len(data) < SIZE_BYTES.stop:
        raise ShapeError(f"the bitmap is no PNG: it starts with {data[:8]!r}, wanted {PNG_SIGNATURE!r}")
    width, height = np.frombuffer(data[SIZE_BYTES], ">u4").tolist()
    size = check_size(Size(height, width))
    if wanted is not None and size != wanted:
        raise ShapeError(f"the bitmap is {size}, wanted {wanted}")
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        image = None
    if image is None:
        raise ShapeError(f"the bitmap's PNG of {len(data)} bytes is damaged")
    return np.asarray(image > 0, np.uint8)
