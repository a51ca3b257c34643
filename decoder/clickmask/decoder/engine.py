"""The engine: cached embeddings, batched clicks, measured steps; safe for any number of threads."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from clickmask.decoder.auto import AutoSettings, FoundMask, Progress, ignore_progress, segment_everything
from clickmask.decoder.batching import Batcher
from clickmask.decoder.cache import Cache
from clickmask.decoder.choose import Rule, choose_mask, stability_score
from clickmask.decoder.models import Model
from clickmask.decoder.optimize import optimize
from clickmask.decoder.prompts import Prompt, Size, check_prompt
from clickmask.decoder.refine.window import Window
from clickmask.decoder.refine.zoom import CloserLook, is_coarse, look_closer
from clickmask.decoder.segment import ImageEmbedding, MaskSet, binarize, encode_image, predict_many
from clickmask.decoder.store import EmbeddingStore

LoadImage = Callable[[], NDArray[np.uint8]]  # gives (H, W, 3) RGB; called only when pixels are needed

CACHE_BYTES = 2 * 2**30
PIXEL_BYTES = 2**28  # of decoded images, kept for closer looks
LARGEST_BATCH = 32


@dataclass(frozen=True, slots=True, eq=False)
class Segmentation:
    """One answer. Mask rows: 0 is the single mask, 1 to 3 the candidates."""

    mask_set: MaskSet
    chosen: int  # the row the rule picked
    stability: tuple[float, ...]  # (4,) at offset 1, in [0, 1]
    cache_hit: bool  # whether the image was encoded before
    encode_ms: float
    decode_ms: float
    closer: CloserLook | None = None  # the chosen mask seen again from close by

    @property
    def size(self) -> Size:
        """Of the image."""
        return self.mask_set.size

    @property
    def logits(self) -> Tensor:
        """(4, h, w) float32 on the CPU."""
        return self.mask_set.logits

    @property
    def mask_prompt(self) -> Tensor:
        """Logits (h, w) that the next prompt hands back, so that it refines this answer, as it was shown."""
        row = self.logits[self.chosen]
        return row if self.closer is None else self.closer.mask_prompt()

    @property
    def predicted_iou(self) -> tuple[float, ...]:
        """(4,) in [0, 1]."""
        return tuple(self.mask_set.predicted_iou.tolist())

    @property
    def object_score(self) -> float:
        """Logit, > 0: there is an object."""
        return self.mask_set.object_score

    @property
    def score(self) -> float:
        """Predicted IoU of the chosen mask."""
        return self.predicted_iou[self.chosen] if self.closer is None else self.closer.predicted_iou

    def mask(self, row: int | None = None) -> NDArray[np.bool_]:
        """The chosen mask, or that of another row, at the image's size: (H, W)."""
        if self.closer is not None and row in (None, self.chosen):
            return self.closer.mask()
        return binarize(self.logits[self.chosen if row is None else row], self.size)


class Engine:
    """Segments images for all users, projects and threads of a process.

    An image is named by a key; its pixels are asked for only when no embedding is cached.

    Args:
        model: From ``load_model``.
        cache_bytes: Memory for embeddings.
        store_folder: Where embeddings are kept on disk too, or None.
    """

    def __init__(self, model: Model, *, cache_bytes: int = CACHE_BYTES, store_folder: Path | None = None) -> None:
        self.model = optimize(model)
        self._embeddings: Cache[ImageEmbedding] = Cache(cache_bytes)
        self._store = EmbeddingStore(store_folder, self.model) if store_folder else None
        self._pixels: Cache[NDArray[np.uint8]] = Cache(PIXEL_BYTES)
        self._encoding = Lock()  # apart from the clicks' device lock: a click never waits for another image
        self._clicks = Batcher(self._predict, LARGEST_BATCH)

    def segment(
        self, image_key: str, load_image: LoadImage, prompt: Prompt, *, rule: Rule | int = "auto"
    ) -> Segmentation:
        """Answer one prompt on one image.

        Args:
            image_key: Names the image's content: equal keys must mean equal pixels.
            load_image: Gives the pixels if they are needed.
            prompt: In pixels of the image.
            rule: How to choose among the masks, see ``choose_mask``.

        Raises:
            PromptError: See ``check_prompt`` and ``choose_mask``.
            ImageError: If the pixels cannot be used.
        """
        start = time.perf_counter()
        embedding, hit = self._embedding(image_key, load_image)
        prompt = check_prompt(prompt, embedding.size)  # before it joins a batch with other people's
        encoded = time.perf_counter()
        mask_set = self._clicks.submit((embedding, prompt))
        decoded = time.perf_counter()
        return Segmentation(
            mask_set=mask_set,
            chosen=choose_mask(mask_set, prompt, rule),
            stability=tuple(stability_score(mask_set.logits).tolist()),
            cache_hit=hit,
            encode_ms=1000 * (encoded - start),
            decode_ms=1000 * (decoded - encoded),
        )

    def segment_closely(
        self, image_key: str, load_image: LoadImage, prompt: Prompt, *, rule: Rule | int = "auto"
    ) -> Segmentation:
        """Answer one prompt, then once more from close by: sharper edges, small things found.

        A crop is encoded, so a click costs more; crops are cached, and later clicks mostly fall on the same one.
        Where a closer look shows nothing, the answer is that of ``segment``.
        """
        first = self.segment(image_key, load_image, prompt, rule=rule)
        start = time.perf_counter()
        image, _ = self._pixels.get(image_key, load_image)
        closer = look_closer(
            image,
            check_prompt(prompt, first.size),  # cuts a box off at the image's border
            first.mask_set,
            rule,
            encode=lambda window: self._crop_embedding(image_key, image, window),
            answer=lambda embedding, inner: self._clicks.submit((embedding, inner)),
        )
        return replace(first, closer=closer, decode_ms=first.decode_ms + 1000 * (time.perf_counter() - start))

    def segment_everything(
        self,
        image_key: str,
        load_image: LoadImage,
        settings: AutoSettings = AutoSettings(),  # noqa: B008 - frozen
        progress: Progress = ignore_progress,
    ) -> list[FoundMask]:
        """Find the masks of an image without a prompt; clicks of others pass in between."""
        embedding, _ = self._embedding(image_key, load_image)

        def answer(prompts: Sequence[Prompt]) -> list[MaskSet]:
            return self._clicks.submit_all([(embedding, prompt) for prompt in prompts])

        return segment_everything(answer, embedding.size, settings, progress)

    def encode(self, image_key: str, load_image: LoadImage) -> bool:
        """Make sure a click on this image needs no encoding; say whether that was so already."""
        return self._embedding(image_key, load_image)[1]

    def image_size(self, image_key: str, load_image: LoadImage) -> Size:
        """The size of an image, for prompts given in fractions of it; encodes the image if need be."""
        return self._embedding(image_key, load_image)[0].size

    def is_cached(self, image_key: str) -> bool:
        """Whether a click on this image needs no encoding."""
        return image_key in self._embeddings or (self._store is not None and image_key in self._store)

    @property
    def is_coarse(self) -> bool:
        """Whether ``segment_closely`` is worth its time: the model's own masks have rough edges."""
        return is_coarse(self.model)

    def waiting(self) -> int:
        """How many clicks wait for the device."""
        return len(self._clicks)

    def _embedding(self, image_key: str, load_image: LoadImage) -> tuple[ImageEmbedding, bool]:
        return self._embeddings.get(image_key, lambda: self._load_or_encode(image_key, load_image))

    def _load_or_encode(self, image_key: str, load_image: LoadImage) -> ImageEmbedding:
        stored = self._store.load(image_key) if self._store else None
        if stored is not None:
            return stored
        image, _ = self._pixels.get(image_key, load_image)  # outside the lock: it may wait for a network
        embedding = self._encode(image)
        if self._store:
            self._store.save(image_key, embedding)
        return embedding

    def _crop_embedding(self, image_key: str, image: NDArray[np.uint8], window: Window) -> ImageEmbedding:
        return self._embeddings.get(f"{image_key} {window}", lambda: self._encode(window.crop(image)))[0]

    def _encode(self, image: NDArray[np.uint8]) -> ImageEmbedding:
        with self._encoding:
            return encode_image(self.model, image)

    def _predict(self, requests: Sequence[tuple[ImageEmbedding, Prompt]]) -> list[MaskSet]:
        return predict_many(self.model, requests)
