"""Engines by model name: what the threads that ask for them get."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from clickmask.decoder import Engine, Model
from clickmask.decoder.modeling.config import NanoConfig
from clickmask.plugin.engines import Engines
from tests.plugin.discs import DiscNetwork


class CoarseNetwork(DiscNetwork):
    """One of the size of nano's."""

    config = NanoConfig()


def load(name: str) -> Engine:
    """An engine of a small network, or a large one."""
    network = CoarseNetwork() if name == "small" else DiscNetwork()
    return Engine(Model(name, network, torch.device("cpu"), torch.float32, name))


@pytest.mark.parametrize("last", ["small", "large"])
def test_a_thread_runs_small_models_on_one_core_and_others_on_all(last: str) -> None:
    """On a machine that is busy otherwise, nano's clicks took three times as long on two cores as on one."""
    every = torch.get_num_threads()
    engines = Engines(load, "small", 60)

    def ask() -> int:
        for name in ("small", "large", last):
            engines.get(name)
        return torch.get_num_threads()

    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(ask).result() == (1 if last == "small" else every)
    torch.set_num_threads(every)  # new threads take what was set last
