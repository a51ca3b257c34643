"""What all tests share: one thread for PyTorch, and the model in the box."""

from __future__ import annotations

import pytest
import torch

from clickmask.decoder import Model, load_model
from tests import fuzz as fuzz  # its profiles must be known before one is chosen

torch.set_num_threads(1)  # the workers share the cores; two threads in each would mostly wait for one another


@pytest.fixture(scope="session")
def nano() -> Model:
    """The model in the box."""
    return load_model("nano")
