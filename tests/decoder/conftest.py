"""Networks that several tests share; made once, never changed."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from clickmask.decoder import ImageEmbedding, Model, encode_image, load_image, load_model
from tests.sam2_reference import DATA, reference_weights


@pytest.fixture(scope="session")
def official_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file like the official ones, with the deterministic weights of sam2.1_hiera_tiny."""
    path = tmp_path_factory.mktemp("weights") / "sam2.1_hiera_tiny.pt"
    torch.save({"model": reference_weights("keys_sam2.1_t.json")}, path)
    return path


@pytest.fixture(scope="session")
def tiny(official_weights: Path) -> Model:
    """sam2.1_hiera_tiny with the deterministic weights."""
    return load_model(official_weights)


@pytest.fixture(scope="session")
def truck(tiny: Model) -> ImageEmbedding:
    """The reference photo, encoded by ``tiny``."""
    return encode_image(tiny, load_image(DATA / "truck_900x600.png"))
