"""The two pure steps: an image becomes an embedding, an embedding and a prompt become four masks.

Nothing here remembers anything: equal arguments give equal answers, from any thread.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from clickmask.decoder.errors import ImageError
from clickmask.decoder.frame import Frame, still_pixels
from clickmask.decoder.modeling.cells import to_map
from clickmask.decoder.modeling.config import SAM2_CHOICE, Choice, Geometry
from clickmask.decoder.modeling.mask_decoder import HighResolution, ImageFeatures
from clickmask.decoder.modeling.prompt_encoder import BOTTOM_RIGHT, NEGATIVE, POSITIVE, TOP_LEFT
from clickmask.decoder.models import Model
from clickmask.decoder.prompts import Prompt, Size, check_prompt

BATCH_ROUNDING = 1e-4  # [logits], in float32 on a CPU; processors add in another order for another batch
BLOCK_PIXELS = 2**17  # of a mask computed at once; what a processor's cache holds

ToPixels = Callable[[NDArray[np.uint8], Geometry, torch.device], Tensor]


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

        An optimised SAM keeps them as rows of cells.
        """
        image, s8 = self.features.image, self.features.high_resolution.s8
        if image.ndim == 4:
            return FeatureMaps(s8, image)
        return FeatureMaps(to_map(s8, 1), to_map(image, 0))

    @property
    def plain_features(self) -> ImageFeatures:
        """The features as the network takes them that is not optimised."""
        image, (s4, s8) = self.features
        if image.ndim == 4:
            return self.features
        return ImageFeatures(to_map(image, 0), HighResolution(to_map(s4, 2), to_map(s8, 1)))


@dataclass(frozen=True, slots=True, eq=False)
class MaskSet:
    """Four masks for one prompt: row 0 the single-mask token, rows 1 to 3 the candidates."""

    logits: Tensor  # (4, h, w) float32 on the CPU, over the whole image; > 0 is object
    predicted_iou: Tensor  # (4,) float32, about [0, 1]
    object_score: float  # logit, > 0: there is an object
    size: Size  # of the original image
    choice: Choice = SAM2_CHOICE  # how the model's family means its masks


def encode_image(model: Model, image: NDArray[np.uint8]) -> ImageEmbedding:
    """Encode an image once; any number of prompts can follow.

    Args:
        model: From ``load_model``.
        image: RGB, shape (H, W, 3), uint8.

    Raises:
        ImageError: If the array has another shape or type, or no pixels.
    """
    return encode_with(model, image, model.network.encode)


def encode_with(
    model: Model,
    image: NDArray[np.uint8],
    encode: Callable[[Tensor], ImageFeatures],
    to_pixels: ToPixels = still_pixels,
) -> ImageEmbedding:
    """Encode an image by another method of the network than ``encode``, such as that for a video's frames.

    Raises:
        ImageError: See ``encode_image``.
    """
    size = _check_image(image)
    with model.computing():
        features = encode(to_pixels(image, model.network.config.geometry, model.device))
    return ImageEmbedding(_as_float(features), size)


def predict_masks(model: Model, embedding: ImageEmbedding, prompt: Prompt) -> MaskSet:
    """Answer one prompt.

    Raises:
        PromptError: See ``check_prompt``.
    """
    return predict_many(model, [(embedding, prompt)])[0]


def predict_many(model: Model, requests: Sequence[tuple[ImageEmbedding, Prompt]]) -> list[MaskSet]:
    """Answer many prompts, on one image or several, in as few batches as possible.

    Prompts of the same parts share a batch, so no padding ever changes an answer. What is promised: the
    same batch gives the same answers to the bit; a prompt in another batch, or alone, differs by rounding, its logits
    by at most ``BATCH_ROUNDING``, so that a mask differs only at pixels whose logit is as near to 0 as that.

    Returns:
        One mask set per request, in order.

    Raises:
        PromptError: See ``check_prompt``; then no request is answered.
    """
    return predict_checked(model, [(embedding, check_prompt(prompt, embedding.size)) for embedding, prompt in requests])


def predict_checked(model: Model, requests: Sequence[tuple[ImageEmbedding, Prompt]]) -> list[MaskSet]:
    """``predict_many`` for prompts that ``check_prompt`` has passed, or that were made of such."""
    batches: dict[tuple[int, bool, bool], list[int]] = defaultdict(list)
    for index, (_, prompt) in enumerate(requests):
        batches[len(prompt.points), prompt.box is not None, prompt.mask_logits is not None].append(index)
    answers: dict[int, MaskSet] = {}
    for indices in batches.values():
        answers.update(zip(indices, _predict_batch(model, [requests[i] for i in indices]), strict=True))
    return [answers[index] for index in range(len(requests))]


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
    found = upsample_window(logits, size, above=0.0)
    if found is not None:
        rows, columns, blocks = found
        window = torch.from_numpy(mask)[rows, columns]
        for part, values in blocks:
            torch.gt(values, 0, out=window[part])
    return mask


def upsample_window(
    logits: Tensor, size: Size, *, above: float
) -> tuple[slice, slice, Iterator[tuple[slice, Tensor]]] | None:
    """Bring logits to the image's size, only where they can be above a threshold, a block of rows at a time.

    Args:
        logits: (h, w) on the CPU.
        size: Of the image.
        above: The threshold [logits].

    Returns:
        The window's rows and columns in the image, and its blocks: which of its rows, and their logits, each
        (rows, columns). None if no logit is above the threshold.
    """
    occupied = logits > above
    if not bool(occupied.any()):
        return None
    rows, (low, high, weight) = _taps(occupied.any(dim=1), size.height)
    columns, column_taps = _taps(occupied.any(dim=0), size.width)
    stretched = _lerp(logits.T, *column_taps).T.contiguous()  # (h, window width)

    return rows, columns, _blocks(stretched, low, high, weight)


def _blocks(stretched: Tensor, low: Tensor, high: Tensor, weight: Tensor) -> Iterator[tuple[slice, Tensor]]:
    """Mix rows, some at a time."""
    counts = low.unique_consecutive(return_counts=True)[1].tolist()  # type: ignore[no-untyped-call]
    width = stretched.shape[1]
    start = 0
    if max(counts) * width >= BLOCK_PIXELS // 4:  # on large images pixel rows that mix the same two samples
        for count in counts:
            part = slice(start, start + count)
            yield part, torch.lerp(stretched[low[start]], stretched[high[start]], weight[part])
            start += count
        return
    for start in range(0, len(low), max(1, BLOCK_PIXELS // width)):
        part = slice(start, start + max(1, BLOCK_PIXELS // width))
        yield part, _lerp(stretched, low[part], high[part], weight[part])


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


def _as_float(features: ImageFeatures) -> ImageFeatures:
    fine = features.high_resolution
    return ImageFeatures(features.image.float(), HighResolution(fine.s4.float(), fine.s8.float()))


def _predict_batch(model: Model, requests: list[tuple[ImageEmbedding, Prompt]]) -> list[MaskSet]:
    embeddings = [embedding for embedding, _ in requests]
    geometry, choice = model.network.config.geometry, model.network.config.choice
    frames = [Frame(geometry, embedding.size) for embedding in embeddings]
    points, labels = stack_points(requests, geometry, model.device)
    with model.computing():
        output = model.network.decode(
            _stack_features(embeddings), points, labels, _stack_masks(requests, frames, model)
        )
        logits = output.logits.float()
        if choice.logit_limit is not None:
            logits = logits.clamp(-choice.logit_limit, choice.logit_limit)
        pictures = _over_pictures(logits, frames)
    ious, scores = output.predicted_iou.float().cpu(), output.object_score.float().cpu()
    return [
        MaskSet(picture, ious[row], float(scores[row]), embeddings[row].size, choice)
        for row, picture in enumerate(pictures)
    ]


def _over_pictures(logits: Tensor, frames: list[Frame]) -> list[Tensor]:
    """Logits (B, 4, m, m) as they lie over their pictures, each (4, h, w) on the CPU."""
    if frames[0].geometry.fit == "squash":
        return list(logits.cpu())  # all at once: a wait for the device costs more than the numbers
    return [frame.to_picture(row[None])[0].cpu() for frame, row in zip(frames, logits, strict=True)]


def _stack_features(embeddings: list[ImageEmbedding]) -> ImageFeatures:
    """Features of one image if all prompts are on it, else of every prompt's image."""
    if all(embedding is embeddings[0] for embedding in embeddings):
        return embeddings[0].features
    images, fine = zip(*(embedding.features for embedding in embeddings), strict=True)
    s4, s8 = zip(*fine, strict=True)
    return ImageFeatures(torch.cat(images), HighResolution(torch.cat(s4), torch.cat(s8)))


def stack_points(
    requests: list[tuple[ImageEmbedding, Prompt]], geometry: Geometry, device: torch.device
) -> tuple[Tensor, Tensor]:
    """Box corners first, then clicks: (B, N, 2) in [0, 1] of the network's square and (B, N) labels."""
    points, labels = [], []
    for embedding, prompt in requests:
        frame = Frame(geometry, embedding.size)
        corners = [] if prompt.box is None else [prompt.box.xyxy[:2], prompt.box.xyxy[2:]]
        places = corners + [(point.x, point.y) for point in prompt.points]
        points.append([frame.point(x, y) for x, y in places])
        kinds = [TOP_LEFT, BOTTOM_RIGHT][: len(corners)]
        labels.append(kinds + [POSITIVE if point.positive else NEGATIVE for point in prompt.points])
    shape = (len(requests), -1, 2)
    return (
        torch.tensor(points, dtype=torch.float32, device=device).reshape(shape),
        torch.tensor(labels, dtype=torch.long, device=device),
    )


def _stack_masks(requests: list[tuple[ImageEmbedding, Prompt]], frames: list[Frame], model: Model) -> Tensor | None:
    """Earlier logits on the network's own grid: (B, 1, mask side, mask side)."""
    masks = [
        frame.to_square(prompt.mask_logits.to(model.device, torch.float32))
        for frame, (_, prompt) in zip(frames, requests, strict=True)
        if prompt.mask_logits is not None
    ]
    return torch.cat(masks) if masks else None
