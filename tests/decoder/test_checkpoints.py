"""Wrong weights get a message that says what, got, wanted."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from decoder import CheckpointError, load_model
from tests.sam2_reference import reference_weights

Weights = dict[str, torch.Tensor]


@pytest.fixture(scope="module")
def weights() -> Weights:
    """The deterministic state dict of tiny."""
    return reference_weights("keys_sam2.1_t.json")


def missing(weights: Weights) -> Weights:
    return {key: value for key, value in weights.items() if key != "no_obj_ptr"}


def extra(weights: Weights) -> Weights:
    return {**weights, "surprise": torch.zeros(1)}


def reshaped(weights: Weights) -> Weights:
    return {**weights, "no_obj_ptr": torch.zeros(1, 7)}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (missing, "fits no model.*1 missing keys, such as no_obj_ptr"),
        (extra, "1 unknown keys, such as surprise"),
        (reshaped, r"no_obj_ptr has shape \(1, 7\), wanted \(1, 256\)"),
    ],
)
def test_foreign_weights(tmp_path: Path, weights: Weights, change: Callable[[Weights], Weights], message: str) -> None:
    torch.save({"model": change(weights)}, tmp_path / "w.pt")
    with pytest.raises(CheckpointError, match=message):
        load_model(tmp_path / "w.pt")


def test_safetensors_files_load_too(tmp_path: Path, weights: Weights) -> None:
    save_file(weights, tmp_path / "w.safetensors")
    assert load_model(tmp_path / "w.safetensors").name == "sam2.1_hiera_tiny"


@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
@pytest.mark.parametrize("length", [0, 10, 1000, 100_000])
def test_files_cut_short(tmp_path: Path, weights: Weights, suffix: str, length: int) -> None:
    path = tmp_path / f"w{suffix}"
    if suffix == ".pt":
        buffer = io.BytesIO()
        torch.save({"model": weights}, buffer)
        path.write_bytes(buffer.getvalue()[:length])
    else:
        save_file(weights, path)
        path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(CheckpointError, match=r"cannot be read as weights|not a whole"):
        load_model(path)


def test_a_pickle_that_runs_code_is_refused(tmp_path: Path) -> None:
    torch.save({"model": print}, tmp_path / "w.pt")
    with pytest.raises(CheckpointError, match="cannot be read as weights: it holds code"):
        load_model(tmp_path / "w.pt")


def test_a_file_without_tensors(tmp_path: Path) -> None:
    torch.save([1, 2, 3], tmp_path / "w.pt")
    with pytest.raises(CheckpointError, match="wanted a state dict"):
        load_model(tmp_path / "w.pt")


def test_unknown_names_list_the_good_ones() -> None:
    with pytest.raises(CheckpointError, match=r"'sam3' is unknown, wanted .* nano, sam2\.1_hiera_tiny"):
        load_model("sam3")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"gone\.pt does not exist"):
        load_model(tmp_path / "gone.pt")


def test_an_unusable_device_is_named() -> None:
    with pytest.raises(CheckpointError, match="device hyperdrive cannot be used"):
        load_model("nano", device="hyperdrive")


def test_without_a_network_the_message_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing listens on port 9 of this machine."""
    import huggingface_hub.constants as constants

    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(
        constants, "HUGGINGFACE_CO_URL_TEMPLATE", "http://127.0.0.1:9/{repo_id}/resolve/{revision}/{filename}"
    )
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(CheckpointError, match=r"facebook/sam2\.1-hiera-tiny.*HF_ENDPOINT"):
        load_model("sam2.1_hiera_tiny")
