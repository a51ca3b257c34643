"""The engine: cached embeddings, batched clicks, measured steps; safe for any number of threads."""

from __future__ import annotations

import copy
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from threading import Lock
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from clickmask.decoder.auto.found import FoundMask
from clickmask.decoder.auto.generate import AnswerPrompts, Progress, ignore_progress, segment_everything
from clickmask.decoder.auto.settings import AutoSettings, people_settings
from clickmask.decoder.auto.tiles import is_large, segment_tiles
from clickmask.decoder.batching import Batcher
from clickmask.decoder.cache import Cache, nbytes
from clickmask.decoder.chain import ClickChain
from clickmask.decoder.choose import choose_mask, stability_score
from clickmask.decoder.correct import correction_prompt, keep_what_was_asked
from clickmask.decoder.images import ImageSource
from clickmask.decoder.mask_prompts import anchor_negative_clicks, mask_to_logits
from clickmask.decoder.mask_rule import DEFAULT_RULE, MaskRule, Rule
from clickmask.decoder.models import Model
from clickmask.decoder.optimize import optimize
from clickmask.decoder.prompts import Box, Prompt, Size, check_prompt
from clickmask.decoder.refine.window import Window, crop_prompt, tile_view, view_windows
from clickmask.decoder.refine.zoom import ZoomedMask, wants_zoom, zoom_in
from clickmask.decoder.segment import ImageEmbedding, MaskSet, binarize, encode_image, predict_checked
from clickmask.decoder.segmentation import Segmentation
from clickmask.decoder.shapes.rle import Rle
from clickmask.decoder.similar.examples import Example, Kind, describe
from clickmask.decoder.similar.find import SimilarObject, find_similar
from clickmask.decoder.similar.looks import OpenWindow, Seen
from clickmask.decoder.store import EmbeddingStore

CACHE_BYTES = 2 * 2**30
PIXEL_BYTES = 3 * 128_000_000  # of decoded images, kept for second looks; the largest that is read is so large
CLICK_TILES = 4  # images with longer sides are large for a click
LARGEST_BATCH = 32


class Engine:
    """Segments images for all users, projects and threads of a process.

    An image's pixels are asked for only when no embedding is cached. ``chain`` answers a click from the answer to the
    clicks before it; ``segment`` answers each prompt by itself.

    Args:
        model: From ``load_model``.
        cache_bytes: Memory for embeddings.
        store_folder: Where embeddings are kept on disk too, or None.
    """

    def __init__(self, model: Model, *, cache_bytes: int = CACHE_BYTES, store_folder: Path | None = None) -> None:
        self.model = optimize(model)
        self._embeddings: Cache[str, ImageEmbedding] = Cache(cache_bytes, nbytes)
        self._store = EmbeddingStore(store_folder, self.model) if store_folder else None
        self._pixels: Cache[str, NDArray[np.uint8]] = Cache(PIXEL_BYTES, nbytes)
        self._encoding = Lock()  # apart from the clicks' device lock: a click never waits for another image
        self._clicks = Batcher(_predict, LARGEST_BATCH)
        self.chain = ClickChain(self)

    def with_model(self, model: Model) -> Engine:
        """An engine that answers by another model whose embeddings are the same, such as one with an adapter.

        Pictures, embeddings and the queue for the device are shared, so nothing is encoded again; answers never are.

        Args:
            model: Made of this engine's, see ``learning.adapter.adapt``.
        """
        engine = copy.copy(self)
        engine.model = optimize(model)
        engine.chain = ClickChain(engine)
        return engine

    def segment(self, image: ImageSource, prompt: Prompt, how: MaskRule = DEFAULT_RULE) -> Segmentation:
        """Answer one prompt on one image.

        On an image of more than ``CLICK_TILES`` tiles a side the prompt is answered in its tile as well, and the answer
        is taken that the model trusts more: what is small cannot be seen on the whole, what is large not in a tile.

        With a second look a crop is encoded, so a click costs more; crops are cached, and later clicks mostly fall on
        the same one. Where the crop shows nothing, the answer is that on the whole image.

        Args:
            image: What was pointed at.
            prompt: In pixels of the image.
            how: Which mask is chosen, and whether it is looked at a second time.

        Raises:
            PromptError: See ``check_prompt`` and ``choose_mask``.
            ImageError: If the pixels cannot be used.
        """
        start = time.perf_counter()
        if prompt.view is not None:
            seen = self._segment_in_view(image, prompt, how, start)
            if seen is not None:
                return seen
        embedding, hit = self._embedding(image)
        prompt = check_prompt(prompt, embedding.size)
        whole = self._answer(image, embedding, prompt, how, start, cache_hit=hit)
        tile = None if prompt.view is not None else self._tile(prompt, embedding.size)
        if tile is None:
            return whole
        near = self._segment_in_view(image, replace(prompt, view=tile), how, start)
        return whole if near is None or whole.score >= near.score else near

    def segment_everything(
        self,
        image: ImageSource,
        settings: AutoSettings | None = None,
        progress: Progress = ignore_progress,
    ) -> list[FoundMask]:
        """Find the masks of an image without a prompt; clicks of others pass in between.

        Args:
            image: Where to look.
            settings: What to look for; by default what a person wants to see proposed by this model.
            progress: Told the share done, in (0, 1].
        """
        whole, _ = self._embedding(image)

        settings = settings or people_settings(self.model.name)
        pixels = cache(lambda: self._pixels.get(image.key, image.load)[0])  # one too large for the cache is held here

        def open_crop(window: Window) -> AnswerPrompts:
            if window.size == whole.size:
                return self._answering(whole)
            return self._answering(self._encode(window.crop(pixels())))

        look = segment_tiles if is_large(whole.size, settings) else segment_everything
        return look(open_crop, whole.size, settings, progress)

    def describe(self, image: ImageSource, mask: NDArray[np.bool_]) -> Example | None:
        """Say what an object of an image looks like, so that its like can be found; None for an empty mask.

        Args:
            image: Where the object is.
            mask: The object, at the image's size.

        Raises:
            ImageError: If the pixels cannot be used.
        """
        return describe(self._window_opener(image), mask, self.model.network.config.geometry)

    def find_similar(
        self, image: ImageSource, kind: Kind, known: Sequence[Rle] = (), progress: Progress = ignore_progress
    ) -> list[SimilarObject]:
        """Propose the objects of an image that are like the examples, best first; clicks of others pass in between.

        Args:
            image: Where to look.
            kind: What is looked for.
            known: Objects of the image that are annotated already.
            progress: Told the share done, in (0, 1].

        Raises:
            ImageError: If the pixels cannot be used.
        """
        geometry = self.model.network.config.geometry
        pixels, _ = self._pixels.get(image.key, image.load)
        size = Size(*pixels.shape[:2])
        return find_similar(self._window_opener(image), size, kind, geometry, known=known, progress=progress)

    def _window_opener(self, image: ImageSource) -> OpenWindow:
        """What encodes windows of an image, each once while a cache has room."""
        pixels, _ = self._pixels.get(image.key, image.load)
        size = Size(*pixels.shape[:2])

        def open_window(window: Window) -> Seen:
            crop = window.crop(pixels)
            if window.size == size:
                embedding, _ = self._embedding(image)
            else:
                embedding, _ = self._embeddings.get(f"{image.key} {window}", lambda: self._encode(crop))
            return Seen(window, crop, embedding, self._answering(embedding))

        return open_window

    def _answering(self, embedding: ImageEmbedding) -> AnswerPrompts:
        return lambda prompts: self._clicks.submit_all([_Request(self.model, embedding, one) for one in prompts])

    def encode(self, image: ImageSource) -> bool:
        """Make sure a click on this image needs no encoding; say whether that was so already."""
        return self._embedding(image)[1]

    def embed(self, image: ImageSource) -> ImageEmbedding:
        """The embedding of an image, from the cache where it is known."""
        return self._embedding(image)[0]

    def embed_window(self, image: ImageSource, window: Window) -> ImageEmbedding:
        """The embedding of a part of an image, as a second look needs it; from the cache where it is known."""
        pixels, _ = self._pixels.get(image.key, image.load)
        return self._embeddings.get(f"{image.key} {window}", lambda: self._encode(window.crop(pixels)))[0]

    def image_size(self, image: ImageSource) -> Size:
        """The size of an image, for prompts given in fractions of it; encodes the image if need be."""
        return self._embedding(image)[0].size

    def is_cached(self, image_key: str) -> bool:
        """Whether a click on this image needs no encoding."""
        return image_key in self._embeddings or (self._store is not None and image_key in self._store)

    def has_pixels(self, image_key: str) -> bool:
        """Whether the image itself is in memory, so that nothing needs to load it."""
        return image_key in self._pixels

    @property
    def wants_zoom(self) -> bool:
        """Whether a second look is worth its time: the model's own masks have rough edges."""
        return wants_zoom(self.model)

    def waiting(self) -> int:
        """How many clicks wait for the device."""
        return len(self._clicks)

    def _tile(self, prompt: Prompt, size: Size) -> Box | None:
        """The tile a prompt is in, on an image so large that small things cannot be seen on the whole of it."""
        tile_px = people_settings(self.model.name).tile_px
        return tile_view(prompt, size, tile_px) if max(size.height, size.width) > CLICK_TILES * tile_px else None

    def _segment_in_view(self, image: ImageSource, prompt: Prompt, how: MaskRule, start: float) -> Segmentation | None:
        """Answer on what is on the screen, then on more of the image; None where all of it must be looked at."""
        pixels, _ = self._pixels.get(image.key, image.load)
        size = Size(*pixels.shape[:2])
        prompt = check_prompt(prompt, size)
        for window in view_windows(prompt, size):
            crop = ImageSource(f"{image.key} {window}", partial(window.crop, pixels))
            embedding, hit = self._embeddings.get(crop.key, partial(self._encode, crop.load()))
            inner = self._answer(crop, embedding, crop_prompt(window, prompt, size), how, start, cache_hit=hit)
            if prompt.mask is not None or not window.cuts_off(inner.shown, size):
                return replace(inner, shown=window.place(inner.shown, size, prompt.mask), is_row=False, view=window)
        return None

    def _answer(
        self,
        image: ImageSource,
        embedding: ImageEmbedding,
        prompt: Prompt,
        how: MaskRule,
        start: float,
        *,
        cache_hit: bool,
    ) -> Segmentation:
        """Answer a checked prompt on an encoded image: decode, choose, look a second time, keep what was there."""
        encoded = time.perf_counter()
        asked = anchor_negative_clicks(_without_mask(prompt), embedding.size)
        mask_set = self._clicks.submit(_Request(self.model, embedding, asked))
        chosen = choose_mask(mask_set, prompt, how.rule)
        zoom = self.wants_zoom if how.zoom is None else how.zoom
        zoomed = self._zoom_in(image, asked, mask_set, how.rule) if zoom else None
        found = binarize(mask_set.logits[chosen], embedding.size) if zoomed is None else zoomed.mask()
        shown = keep_what_was_asked(found, prompt)
        return Segmentation(
            mask_set=mask_set,
            chosen=chosen if zoomed is None else zoomed.row,
            stability=tuple(stability_score(mask_set.logits).tolist()),
            cache_hit=cache_hit,
            encode_ms=1000 * (encoded - start),
            decode_ms=1000 * (time.perf_counter() - encoded),
            shown=shown,
            is_row=zoomed is None and np.array_equal(shown, found),
            zoomed=zoomed,
        )

    def _zoom_in(self, image: ImageSource, prompt: Prompt, masks: MaskSet, rule: Rule | int) -> ZoomedMask | None:
        pixels, _ = self._pixels.get(image.key, image.load)

        def answer(embedding: ImageEmbedding, inner: Prompt) -> MaskSet:
            return self._clicks.submit(_Request(self.model, embedding, inner))

        return zoom_in(pixels, prompt, masks, rule, encode=partial(self.embed_window, image), answer=answer)

    def _embedding(self, image: ImageSource) -> tuple[ImageEmbedding, bool]:
        return self._embeddings.get(image.key, lambda: self._load_or_encode(image))

    def _load_or_encode(self, image: ImageSource) -> ImageEmbedding:
        stored = self._store.load(image.key) if self._store else None
        if stored is not None:
            return stored
        pixels, _ = self._pixels.get(image.key, image.load)  # outside the lock: it may wait for a network
        embedding = self._encode(pixels)
        if self._store:
            self._store.save(image.key, embedding)
        return embedding

    def _encode(self, image: NDArray[np.uint8]) -> ImageEmbedding:
        with self._encoding:
            return encode_image(self.model, image)


class _Request(NamedTuple):
    """A prompt that waits for the device, and the model that is to answer it."""

    model: Model
    embedding: ImageEmbedding
    prompt: Prompt


def _predict(requests: Sequence[_Request]) -> list[MaskSet]:
    """Answer each request by its own model; those of one model share batches."""
    of_models: dict[int, list[int]] = defaultdict(list)
    for index, request in enumerate(requests):
        of_models[id(request.model)].append(index)
    answers: dict[int, MaskSet] = {}
    for indices in of_models.values():
        asked = [(requests[index].embedding, requests[index].prompt) for index in indices]
        found = predict_checked(requests[indices[0]].model, asked)  # checked when they came, before they waited
        answers.update(zip(indices, found, strict=True))
    return [answers[index] for index in range(len(requests))]


def _without_mask(prompt: Prompt) -> Prompt:
    """What the network is asked: a mask as logits, and with them what says that clicks correct it."""
    if prompt.mask is None or prompt.mask_logits is not None:
        return replace(prompt, mask=None)
    if prompt.points:
        return correction_prompt(prompt)
    return replace(prompt, mask=None, mask_logits=mask_to_logits(prompt.mask))
