"""A Ray cluster that counts four cores, once for all tests of this folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def cluster() -> Iterator[Any]:
    """The module ``ray``, joined to a cluster that counts four cores and works as this process does."""
    ray = pytest.importorskip("ray", reason="needs the extra ray: make test-ray")
    os.environ["PYTHONPATH"] = os.pathsep.join(str(Path(part).resolve()) for part in _parts())
    ray.init(
        num_cpus=4, include_dashboard=False, object_store_memory=200 * 2**20, log_to_driver=False, logging_level="error"
    )
    yield ray
    ray.shutdown()


def _parts() -> list[str]:
    root = Path(__file__).parents[3]
    return [str(root), *(str(root / part) for part in ("decoder", "plugin", "web"))]
