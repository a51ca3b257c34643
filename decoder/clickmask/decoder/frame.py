"""Where a picture lies in the square that a network sees: pixels, points and masks go there and come back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from clickmask.decoder.modeling.config import Geometry
from clickmask.decoder.prompts import Size

BAND_PIXELS = 2**20  # of an image turned into floats at once
OUTSIDE_LOGIT = -10.0  # of a mask prompt where the picture does not reach


@dataclass(frozen=True, slots=True)
class Frame:
    """A picture of this size in a network's square, at its top left.

    Example:
        >>> Frame(Geometry(1024, fit="pad"), Size(600, 900)).inside
        Size(height=683, width=1024)
    """

    geometry: Geometry
    size: Size  # of the picture

    @property
    def inside(self) -> Size:
        """The part of the square that the picture takes [px]."""
        side = self.geometry.side
        if self.geometry.fit == "squash":
            return Size(side, side)
        scale = side / max(self.size.height, self.size.width)
        height, width = (max(1, int(length * scale + 0.5)) for length in (self.size.height, self.size.width))
        return Size(height, width)

    def point(self, x: float, y: float) -> tuple[float, float]:
        """A place of the picture [px] in the square, in [0, 1]."""
        inside, side = self.inside, self.geometry.side
        return x / self.size.width * (inside.width / side), y / self.size.height * (inside.height / side)

    def to_square(self, logits: Tensor) -> Tensor:
        """Mask logits (h, w) over the picture, of any size, on the network's grid: (1, 1, mask side, mask side).

        A network's own answer, as ``to_picture`` gave it, comes back as it was, but for what lay outside the picture.
        """
        grid = self.geometry.mask_side
        if self.geometry.fit == "squash":
            return resize_logits(logits, grid)
        inside, step = self.inside, self.geometry.side // grid
        shape = (inside.height, inside.width)
        own = logits.shape == shape
        x = logits[None, None] if own else _resize(logits[None, None], shape)
        x = F.pad(x, (0, -inside.width % step, 0, -inside.height % step), mode="replicate")
        x = _undo_upsampling(x, step) if own else F.avg_pool2d(x, step)
        return F.pad(x, (0, grid - x.shape[3], 0, grid - x.shape[2]), value=OUTSIDE_LOGIT)

    def to_picture(self, logits: Tensor) -> Tensor:
        """Mask logits of the network's grid (B, N, mask side, mask side) as they lie over the picture: (B, N, h, w)."""
        if self.geometry.fit == "squash":
            return logits
        side, inside = self.geometry.side, self.inside
        whole = F.interpolate(logits, size=(side, side), mode="bilinear")
        return whole[..., : inside.height, : inside.width]


def still_pixels(image: NDArray[np.uint8], geometry: Geometry, device: torch.device) -> Tensor:
    """A still image (H, W, 3), resized as its family does and normalised: (1, 3, side, side)."""
    inside = Frame(geometry, Size(*image.shape[:2])).inside
    if geometry.fit == "pad":
        pixels = _as_tensor(_resize_in_pillow(image, inside, Image.Resampling.BILINEAR), device)
    else:
        pixels = _squash(image, geometry.side, device)
    pixels = _normalise(pixels, geometry)
    return F.pad(pixels, (0, geometry.side - inside.width, 0, geometry.side - inside.height))


def video_pixels(image: NDArray[np.uint8], geometry: Geometry, device: torch.device) -> Tensor:
    """A video's frame (H, W, 3) as SAM 2's own loader resizes it, bicubic in whole numbers: (1, 3, side, side)."""
    square = Size(geometry.side, geometry.side)
    return _normalise(_as_tensor(_resize_in_pillow(image, square, Image.Resampling.BICUBIC), device), geometry)


def resize_logits(mask: Tensor, side: int) -> Tensor:
    """Bring logits (h, w) to a square grid: (1, 1, side, side)."""
    return mask[None, None] if mask.shape == (side, side) else _resize(mask[None, None], (side, side))


def _squash(image: NDArray[np.uint8], side: int, device: torch.device) -> Tensor:
    """Bring a picture (H, W, 3) to the square, in [0, 1]: (1, 3, side, side)."""
    channels = torch.from_numpy(np.ascontiguousarray(image)).to(device).unbind(dim=2)
    return torch.cat([_squash_channel(channel, side) for channel in channels], dim=1)


def _squash_channel(channel: Tensor, side: int) -> Tensor:
    """Bring one channel (H, W) to the square, in [0, 1]: (1, 1, side, side).

    The two axes are squashed one after the other, as PyTorch does within one call, to the bit; but bands of
    rows at a time, so that no picture is ever held as floats, however large it is.
    """
    height, width = channel.shape
    narrow = torch.empty((1, 1, height, side), device=channel.device)
    rows = max(1, BAND_PIXELS // max(width, side))  # a band comes out as wide as the square
    for top in range(0, height, rows):
        band = channel[top : top + rows].float().div_(255)[None, None]
        narrow[:, :, top : top + rows] = _resize(band, (band.shape[2], side))
    return _resize(narrow, (side, side))


def _resize(x: Tensor, shape: tuple[int, int]) -> Tensor:
    return F.interpolate(x, size=shape, mode="bilinear", antialias=True)


def _resize_in_pillow(image: NDArray[np.uint8], size: Size, how: Image.Resampling) -> NDArray[np.uint8]:
    if image.shape[:2] == (size.height, size.width):
        return image
    return np.array(Image.fromarray(image).resize((size.width, size.height), how))


def _as_tensor(image: NDArray[np.uint8], device: torch.device) -> Tensor:
    """(H, W, 3) in whole numbers to (1, 3, H, W) in [0, 1]."""
    return torch.from_numpy(np.ascontiguousarray(image)).to(device).permute(2, 0, 1)[None].float() / 255


def _normalise(pixels: Tensor, geometry: Geometry) -> Tensor:
    mean, std = (pixels.new_tensor(values).view(1, 3, 1, 1) for values in (geometry.mean, geometry.std))
    return pixels.sub_(mean).div_(std)


def _undo_upsampling(x: Tensor, step: int) -> Tensor:
    """Samples (1, 1, h, w) of which bilinear upsampling by an even ``step`` made x: their lines, followed back."""
    for axis in (2, 3):
        near, far = (x.unfold(axis, step, step).select(-1, step // 2 + beyond) for beyond in (0, 1))
        x = 1.5 * near - 0.5 * far
    return x
