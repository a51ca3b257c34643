"""What all tests share: one thread for PyTorch, and the model in the box."""

from __future__ import annotations

import pytest
import torch

from clickmask.decoder import Model, load_model
from tests import fuzz as fuzz  # its profiles must be known before one is chosen

torch.set_num_threads(1)  # the workers share the cores; two threads in each would mostly wait for one another


NEED_NO_SHARED_STUDIO = {"test_studio.py"}  # starts its own: the two processes end at about the same time


@pytest.fixture(scope="session")
def nano() -> Model:
    """The model in the box."""
    return load_model("nano")


@pytest.hookimpl(tryfirst=True)  # before xdist reads the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give real servers to one process each: Label Studio with all that asks it, and the app with the rest."""
    for item in items:
        if "e2e" in item.path.parts:
            item.add_marker(pytest.mark.xdist_group("app" if item.path.name in NEED_NO_SHARED_STUDIO else "studio"))
        elif "e2e_web" in item.path.parts:
            item.add_marker(pytest.mark.xdist_group("app"))
