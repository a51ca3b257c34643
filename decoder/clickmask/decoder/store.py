"""Embeddings on disk, so that pre-computed images survive a restart."""

from __future__ import annotations

import hashlib
import logging
import zlib
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from clickmask.decoder.files import whole_file
from clickmask.decoder.modeling.mask_decoder import HighResolution, ImageFeatures
from clickmask.decoder.models import Model
from clickmask.decoder.prompts import Size
from clickmask.decoder.segment import ImageEmbedding

ORDER = 2  # of an embedding's numbers, counted up when it changes, so that files of before are not taken for new ones

_log = logging.getLogger(__name__)
_MAPS = ("image", "s4", "s8")


class EmbeddingStore:
    """One safetensors file per image and model, with a checksum; a broken one counts as absent, and is logged."""

    def __init__(self, folder: Path, model: Model) -> None:
        self._folder = folder
        self._model = model

    def load(self, image_key: str) -> ImageEmbedding | None:
        """Return the stored embedding on the model's device, or None."""
        path = self._path(image_key)
        try:
            maps, size = _read(path)
        except FileNotFoundError:
            return None
        except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:  # TypeError: it has no metadata
            _log.warning("%s is not used, and its image is encoded again: %s", path, error)
            return None
        image, s4, s8 = (tensor.to(self._model.device) for tensor in maps)
        return ImageEmbedding(ImageFeatures(image, HighResolution(s4, s8)), size)

    def save(self, image_key: str, embedding: ImageEmbedding) -> None:
        """Write the embedding, whole or not at all; a disk that takes no more keeps nothing, and the log says so."""
        fine = embedding.features.high_resolution
        maps = [tensor.cpu().contiguous() for tensor in (embedding.features.image, fine.s4, fine.s8)]
        size = {"height": str(embedding.size.height), "width": str(embedding.size.width)}
        metadata = {**size, "crc32": _checksum(maps, embedding.size)}
        try:
            with whole_file(self._path(image_key)) as part:
                save_file(dict(zip(_MAPS, maps, strict=True)), part, metadata=metadata)
        except (OSError, SafetensorError) as error:
            _log.warning("an embedding is not kept in %s: %s", self._folder, error)

    def __contains__(self, image_key: str) -> bool:
        return self._path(image_key).is_file()

    def _path(self, image_key: str) -> Path:
        digest = hashlib.sha256(f"{ORDER}\n{self._model.fingerprint}\n{image_key}".encode()).hexdigest()
        return self._folder / f"{digest}.safetensors"


def _read(path: Path) -> tuple[list[Tensor], Size]:
    """What a file holds, checked; raises ValueError if its checksum says otherwise."""
    with safe_open(path, framework="pt") as file:
        maps = [file.get_tensor(name) for name in _MAPS]
        metadata = file.metadata()
    size = Size(int(metadata["height"]), int(metadata["width"]))
    found = _checksum(maps, size)
    if found != metadata["crc32"]:
        raise ValueError(f"its checksum is {found}, wanted {metadata['crc32']}")
    return maps, size


def _checksum(maps: list[Tensor], size: Size) -> str:
    """Of all that an answer depends on: a disk that lost a bit gives no wrong mask."""
    checksum = zlib.crc32(repr((size, [tuple(tensor.shape) for tensor in maps])).encode())
    for tensor in maps:
        checksum = zlib.crc32(tensor.numpy().data, checksum)
    return f"{checksum:08x}"
