"""Embeddings on disk, so that pre-computed images survive a restart."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import tempfile
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from clickmask.decoder.modeling.mask_decoder import HighResolution, ImageFeatures
from clickmask.decoder.models import Model
from clickmask.decoder.prompts import Size
from clickmask.decoder.segment import ImageEmbedding

_log = logging.getLogger(__name__)


class EmbeddingStore:
    """One safetensors file per image and model; a broken file counts as absent."""

    def __init__(self, folder: Path, model: Model) -> None:
        self._folder = folder
        self._model = model

    def load(self, image_key: str) -> ImageEmbedding | None:
        """Return the stored embedding on the model's device, or None."""
        path = self._path(image_key)
        try:
            with safe_open(path, framework="pt", device=str(self._model.device)) as file:
                image, s4, s8 = (file.get_tensor(name) for name in ("image", "s4", "s8"))
                height, width = (int(file.metadata()[name]) for name in ("height", "width"))
        except (OSError, SafetensorError, KeyError, TypeError, ValueError):  # TypeError: it has no metadata
            return None
        return ImageEmbedding(ImageFeatures(image, HighResolution(s4, s8)), Size(height, width))

    def save(self, image_key: str, embedding: ImageEmbedding) -> None:
        """Write the embedding, whole or not at all; a disk that takes no more keeps nothing, and the log says so."""
        try:
            self._write(image_key, embedding)
        except (OSError, SafetensorError) as error:
            _log.warning("an embedding is not kept in %s: %s", self._folder, error)

    def __contains__(self, image_key: str) -> bool:
        return self._path(image_key).is_file()

    def _write(self, image_key: str, embedding: ImageEmbedding) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        fine = embedding.features.high_resolution
        tensors = {"image": embedding.features.image, "s4": fine.s4, "s8": fine.s8}
        size = {"height": str(embedding.size.height), "width": str(embedding.size.width)}
        handle, temporary = tempfile.mkstemp(dir=self._folder, suffix=".part")
        os.close(handle)
        try:
            save_file({name: tensor.cpu().contiguous() for name, tensor in tensors.items()}, temporary, metadata=size)
            Path(temporary).replace(self._path(image_key))
        finally:
            with contextlib.suppress(FileNotFoundError):
                Path(temporary).unlink()

    def _path(self, image_key: str) -> Path:
        digest = hashlib.sha256(f"{self._model.fingerprint}\n{image_key}".encode()).hexdigest()
        return self._folder / f"{digest}.safetensors"
