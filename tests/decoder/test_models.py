"""A model computes on as many cores as pay, and leaves the thread as it was."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from clickmask.decoder import MODELS, CheckpointError, DeviceError, Model, load_model
from tests.plugin.discs import DiscNetwork


@pytest.mark.parametrize(("name", "wanted"), [("nano", 1), ("sam2.1_hiera_tiny", 2)])
def test_a_small_model_computes_on_one_core_and_others_on_all(
    name: str, wanted: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a machine that is busy otherwise, nano's clicks took three times as long on two cores as on one."""
    monkeypatch.setattr("clickmask.decoder.models._all_cores", lambda: 2)
    network = DiscNetwork()
    monkeypatch.setattr(network, "config", MODELS[name].config)
    model = Model("any", network, torch.device("cpu"), torch.float32, "any")

    def cores() -> tuple[int, int, int]:
        before = torch.get_num_threads()
        with model.computing():
            during = torch.get_num_threads()
        return before, during, torch.get_num_threads()

    with ThreadPoolExecutor(1) as thread:
        before, during, after = thread.submit(cores).result()
    assert (during, after) == (wanted, before)


def test_a_device_that_cannot_be_used_is_a_device_error() -> None:
    with pytest.raises(DeviceError, match="device cuda:7 cannot be used here"):
        load_model("nano", device="cuda:7")
    assert not issubclass(DeviceError, CheckpointError)
