"""What all tests share: the order they run in, one thread for PyTorch, and the model in the box."""

from __future__ import annotations

import pytest
import torch

from clickmask.decoder import Model, load_model

LONGEST_FIRST = ("tests/e2e/", "tests/e2e_web/")  # one worker each: their servers are started once

torch.set_num_threads(1)  # the workers share the cores; two threads in each would mostly wait for one another


@pytest.hookimpl(tryfirst=True)  # before xdist reads the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each file, and each real server's folder, to one worker of ``pytest -n``, the longest first."""
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_group(item)))
    items.sort(key=lambda item: _rank(_group(item)))


def _group(item: pytest.Item) -> str:
    file = item.nodeid.split("::")[0]
    return next((folder for folder in LONGEST_FIRST if file.startswith(folder)), file)


def _rank(group: str) -> int:
    return LONGEST_FIRST.index(group) if group in LONGEST_FIRST else len(LONGEST_FIRST)


@pytest.fixture(scope="session")
def nano() -> Model:
    """The model in the box."""
    return load_model("nano")
