"""The two pure steps: an image becomes an embedding, an embedding and a prompt become four masks.

Nothing here remembers anything: equal arguments give equal answers, from any thread.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from clickmask.decoder.errors import ImageError
from clickmask.decoder.modeling.fast import s8_map, s16_map
from clickmask.decoder.modeling.mask_decoder import HighResolution
from clickmask.decoder.modeling.prompt_encoder import BOTTOM_RIGHT, NEGATIVE, POSITIVE, TOP_LEFT
from clickmask.decoder.modeling.sam2 import ImageFeatures
from clickmask.decoder.models import Model
from clickmask.decoder.prompts import Prompt, Size, check_prompt

IMAGE_MEAN = (0.485, 0.456, 0.406)  # of ImageNet, RGB in [0, 1]
IMAGE_STD = (0.229, 0.224, 0.225)
LOGIT_LIMIT = 32.0  # SAM 2 clamps the logits it hands out
BATCH_ROUNDING = 1e-4  # [logits], in float32 on a CPU; processors add in another order for another batch
BAND_PIXELS = 2**20  # of an image turned into floats at once


class FeatureMaps(NamedTuple):
    """What the encoder sees at each place of an image, for whatever learns from it or compares places."""

    s8: Tensor  # (1, c, S / 8, S / 8)
    s16: Tensor  # (1, C, S / 16, S / 16)


@dataclass(frozen=True, slots=True, eq=False)
class ImageEmbedding:
    """An encoded image; never changed, so any number of threads may share it."""

    features: ImageFeatures  # of one image, on the model's device
    size: Size  # of the original image

    @property
    def nbytes(self) -> int:
        """Memory it holds [bytes]."""
        tensors = (self.features.image, *self.features.high_resolution)
        return sum(tensor.numel() * tensor.element_size() for tensor in tensors)

    @property
    def maps(self) -> FeatureMaps:
        """The features as maps, whichever network made them.

        An optimised SAM 2 keeps them in an order of its own; its first channels of every place are the embedding.
        """
        image, s8 = self.features.image, self.features.high_resolution.s8
        if image.ndim == 4:
            return FeatureMaps(s8, image)
        return FeatureMaps(s8_map(s8), s16_map(image, 4 * s8.shape[-1]))


@dataclass(frozen=True, slots=True, eq=False)
class MaskSet:
    """Four masks for one prompt: row 0 the single-mask token, rows 1 to 3 the candidates."""

    logits: Tensor  # (4, h, w) float32 on the CPU, in [-32, 32]; > 0 is object
    predicted_iou: Tensor  # (4,) float32 in [0, 1]
    object_score: float  # logit, > 0: there is an object
    size: Size  # of the original image


def encode_image(model: Model, image: NDArray[np.uint8]) -> ImageEmbedding:
    """Encode an image once; any number of prompts can follow.

    Args:
        model: From ``load_model``.
        image: RGB, shape (H, W, 3), uint8.

    Raises:
        ImageError: If the array has another shape or type, or no pixels.
    """
    return encode_with(model, image, model.network.encode)


def encode_with(model: Model, image: NDArray[np.uint8], encode: Callable[[Tensor], ImageFeatures]) -> ImageEmbedding:
    """Encode an image by another method of the network than ``encode``, such as that for a video's frames.

    Raises:
        ImageError: See ``encode_image``.
    """
    size = _check_image(image)
    with model.computing():
        features = encode(_to_pixels(image, model))
    return ImageEmbedding(_as_float(features), size)


def predict_masks(model: Model, embedding: ImageEmbedding, prompt: Prompt) -> MaskSet:
    """Answer one prompt.

    Raises:
        PromptError: See ``check_prompt``.
    """
    return predict_many(model, [(embedding, prompt)])[0]


def predict_many(model: Model, requests: Sequence[tuple[ImageEmbedding, Prompt]]) -> list[MaskSet]:
    """Answer many prompts, on one image or several, in as few batches as possible.

    Prompts with the same number of tokens share a batch, so no padding ever changes an answer. What is promised: the
    same batch gives the same answers to the bit; a prompt in another batch, or alone, differs by rounding, its logits
    by at most ``BATCH_ROUNDING``, so that a mask differs only at pixels whose logit is as near to 0 as that.

    Returns:
        One mask set per request, in order.

    Raises:
        PromptError: See ``check_prompt``; then no request is answered.
    """
    checked = [(embedding, check_prompt(prompt, embedding.size)) for embedding, prompt in requests]
    batches: dict[tuple[int, bool], list[int]] = defaultdict(list)
    for index, (_, prompt) in enumerate(checked):
        batches[_token_count(prompt), prompt.mask_logits is not None].append(index)
    answers: dict[int, MaskSet] = {}
    for indices in batches.values():
        answers.update(zip(indices, _predict_batch(model, [checked[i] for i in indices]), strict=True))
    return [answers[index] for index in range(len(checked))]


def binarize(logits: Tensor, size: Size) -> NDArray[np.bool_]:
    """Cut a mask out of its logits at the image's size.

    Bilinear, pixel centres aligned; only the window around the mask is computed.

    Args:
        logits: (h, w) on the CPU.
        size: Of the image.

    Returns:
        Shape (H, W), True where the interpolated logit is > 0.
    """
    mask = np.zeros((size.height, size.width), dtype=np.bool_)
    positive = logits > 0
    if not bool(positive.any()):
        return mask
    rows, (low, high, weight) = _taps(positive.any(dim=1), size.height)
    columns, column_taps = _taps(positive.any(dim=0), size.width)
    stretched = _lerp(logits.T, *column_taps).T.contiguous()  # (h, window width)
    window = torch.from_numpy(mask)[rows, columns]
    at = 0
    counts = low.unique_consecutive(return_counts=True)[1].tolist()  # type: ignore[no-untyped-call]
    for count in counts:  # pixel rows that mix the same two samples
        part = slice(at, at + count)
        window[part] = torch.lerp(stretched[low[at]], stretched[high[at]], weight[part]) > 0
        at += count
    return mask


def _taps(occupied: Tensor, length: int) -> tuple[slice, tuple[Tensor, Tensor, Tensor]]:
    """Where an axis of ``length`` pixels can be positive, and which two samples each pixel mixes."""
    cells = len(occupied)
    hits = occupied.nonzero()
    scale = cells / length
    first = max(0, int((int(hits[0]) - 0.5) / scale) - 1)
    last = min(length, int((int(hits[-1]) + 1.5) / scale) + 2)
    place = ((torch.arange(first, last) + 0.5) * scale - 0.5).clamp(0, cells - 1)
    low = place.floor().long()
    return slice(first, last), (low, (low + 1).clamp(max=cells - 1), (place - low)[:, None])


def _lerp(rows: Tensor, low: Tensor, high: Tensor, weight: Tensor) -> Tensor:
    return torch.lerp(rows[low], rows[high], weight)


def _check_image(image: NDArray[np.uint8]) -> Size:
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise ImageError(f"the image is {image.dtype} of shape {image.shape}, wanted uint8 of shape (H, W, 3)")
    if 0 in image.shape:
        raise ImageError(f"the image of shape {image.shape} has no pixels")
    return Size(image.shape[0], image.shape[1])


def _to_pixels(image: NDArray[np.uint8], model: Model) -> Tensor:
    """Squash the image to the network's square and normalise it: (1, 3, S, S)."""
    side = model.network.image_side
    channels = torch.from_numpy(np.ascontiguousarray(image)).to(model.device).unbind(dim=2)
    pixels = torch.cat([_squash(channel, side) for channel in channels], dim=1)
    mean, std = (pixels.new_tensor(values).view(1, 3, 1, 1) for values in (IMAGE_MEAN, IMAGE_STD))
    return pixels.sub_(mean).div_(std)


def _squash(channel: Tensor, side: int) -> Tensor:
    """Bring one channel (H, W) to the square, in [0, 1]: (1, 1, S, S).

    The two axes are squashed one after the other, as PyTorch does within one call, to the bit; but bands of
    rows at a time, so that no picture is ever held as floats, however large it is.
    """
    height, width = channel.shape
    narrow = torch.empty((1, 1, height, side), device=channel.device)
    rows = max(1, BAND_PIXELS // width)
    for top in range(0, height, rows):
        band = channel[top : top + rows].float().div_(255)[None, None]
        narrow[:, :, top : top + rows] = _resize(band, band.shape[2], side)
    return _resize(narrow, side, side)


def _resize(pixels: Tensor, height: int, width: int) -> Tensor:
    return F.interpolate(pixels, size=(height, width), mode="bilinear", antialias=True)


def _as_float(features: ImageFeatures) -> ImageFeatures:
    fine = features.high_resolution
    return ImageFeatures(features.image.float(), HighResolution(fine.s4.float(), fine.s8.float()))


def _token_count(prompt: Prompt) -> int:
    return len(prompt.points) + (0 if prompt.box is None else 2)


def _predict_batch(model: Model, requests: list[tuple[ImageEmbedding, Prompt]]) -> list[MaskSet]:
    embeddings = [embedding for embedding, _ in requests]
    points, labels = stack_points(requests, model.device)
    with model.computing():
        output = model.network.decode(_stack_features(embeddings), points, labels, _stack_masks(requests, model))
    logits = output.logits.float().clamp(-LOGIT_LIMIT, LOGIT_LIMIT).cpu()
    ious, scores = output.predicted_iou.float().cpu(), output.object_score.float().cpu()
    return [
        MaskSet(logits[row], ious[row], float(scores[row]), embedding.size) for row, embedding in enumerate(embeddings)
    ]


def _stack_features(embeddings: list[ImageEmbedding]) -> ImageFeatures:
    """Features of one image if all prompts are on it, else of every prompt's image."""
    if all(embedding is embeddings[0] for embedding in embeddings):
        return embeddings[0].features
    images, fine = zip(*(embedding.features for embedding in embeddings), strict=True)
    s4, s8 = zip(*fine, strict=True)
    return ImageFeatures(torch.cat(images), HighResolution(torch.cat(s4), torch.cat(s8)))


def stack_points(requests: list[tuple[ImageEmbedding, Prompt]], device: torch.device) -> tuple[Tensor, Tensor]:
    """Box corners first, then clicks: (B, N, 2) in [0, 1] and (B, N) labels."""
    points, labels = [], []
    for embedding, prompt in requests:
        width, height = embedding.size.width, embedding.size.height
        corners = [] if prompt.box is None else [prompt.box.xyxy[:2], prompt.box.xyxy[2:]]
        places = corners + [(point.x, point.y) for point in prompt.points]
        points.append([(x / width, y / height) for x, y in places])
        kinds = [TOP_LEFT, BOTTOM_RIGHT][: len(corners)]
        labels.append(kinds + [POSITIVE if point.positive else NEGATIVE for point in prompt.points])
    shape = (len(requests), -1, 2)
    return (
        torch.tensor(points, dtype=torch.float32, device=device).reshape(shape),
        torch.tensor(labels, dtype=torch.long, device=device),
    )


def _stack_masks(requests: list[tuple[ImageEmbedding, Prompt]], model: Model) -> Tensor | None:
    """Earlier logits on the decoder's own grid: (B, 1, S / 4, S / 4)."""
    side = model.network.image_side // 4
    masks = [prompt.mask_logits for _, prompt in requests if prompt.mask_logits is not None]
    if not masks:
        return None
    resized = [resize_logits(mask.to(model.device, torch.float32), side) for mask in masks]
    return torch.cat(resized)


def resize_logits(mask: Tensor, side: int) -> Tensor:
    """Bring logits (h, w) to the decoder's grid: (1, 1, side, side)."""
    if mask.shape == (side, side):
        return mask[None, None]
    return F.interpolate(mask[None, None], size=(side, side), mode="bilinear", antialias=True)
