"""Weights as people have them: however wrapped or named they load, or are called by their name."""

from __future__ import annotations

import argparse
import json
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from clickmask.decoder import MODELS, CheckpointError, ModelSpec, load_model
from clickmask.decoder import hub as hub_module
from clickmask.decoder.modeling.config import Config
from clickmask.decoder.modeling.sam2 import Sam2
from tests.decoder.modeling.test_sam1 import CONFIG as SAM1_CONFIG
from tests.decoder.modeling.test_sam1 import SIDE as SAM1_SIDE
from tests.decoder.track.small_sam2 import CONFIG

Weights = dict[str, torch.Tensor]


@pytest.fixture(autouse=True)
def small_models(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two small rows in the table of models."""
    monkeypatch.setitem(MODELS, "small", ModelSpec("small", "SAM 2.1", CONFIG, "none"))
    monkeypatch.setitem(MODELS, "small1", ModelSpec("small1", "SAM 1", SAM1_CONFIG, "none"))


def random_weights(config: Config) -> Weights:
    torch.manual_seed(0)
    network = config.build()
    for parameter in network.parameters():
        nn.init.normal_(parameter)
    return network.state_dict()


@pytest.fixture(scope="module")
def sam2() -> Weights:
    """By the official names."""
    heads = {"prompt_encoder.": "sam_prompt_encoder.", "mask_decoder.": "sam_mask_decoder."}
    return {
        next((new + key.removeprefix(old) for old, new in heads.items() if key.startswith(old)), key): value
        for key, value in random_weights(CONFIG).items()
    }


@pytest.fixture(scope="module")
def sam1() -> Weights:
    """By the official names."""
    return {
        key.replace(".mlp.layers.0.", ".mlp.lin1.").replace(".mlp.layers.1.", ".mlp.lin2."): value
        for key, value in random_weights(SAM1_CONFIG).items()
    }


def prefixed(prefix: str) -> Callable[[Weights], Any]:
    return lambda weights: {f"{prefix}{key}": value for key, value in weights.items()}


WRAPPED: dict[str, Callable[[Weights], Any]] = {
    "plain": lambda weights: weights,
    "official": lambda weights: {"model": weights},
    "distributed": prefixed("module."),
    "compiled": prefixed("_orig_mod."),
    "compiled in the middle": lambda w: {
        k.replace("image_encoder.", "image_encoder._orig_mod."): v for k, v in w.items()
    },
    "distributed, nested": lambda weights: {"state_dict": prefixed("module.")(weights)},
    "model_state_dict": lambda weights: {"model_state_dict": weights},
    "Lightning": lambda weights: {"state_dict": prefixed("model.")(weights), "global_step": 3},
    "with a counter": lambda weights: {**weights, "epoch": torch.tensor(3)},
    "with NumPy scalars": lambda weights: {"model": weights, "best": {"iou": np.float64(0.5), "step": np.int32(7)}},
    "with arguments": lambda weights: {"model": weights, "args": argparse.Namespace(lr=0.1)},
}


@pytest.mark.parametrize("name", WRAPPED)
def test_wrapped_weights_load(name: str, sam2: Weights, tmp_path: Path) -> None:
    torch.save(WRAPPED[name](sam2), tmp_path / "sam2_64.ckpt")
    assert load_model(tmp_path / "sam2_64.ckpt", image_side=64).name == "small"


@pytest.mark.parametrize("suffix", [".pt", ".pth", ".PT", ".ckpt", ".bin"])
def test_every_suffix(suffix: str, sam1: Weights, tmp_path: Path) -> None:
    torch.save(sam1, tmp_path / f"w{suffix}")
    assert load_model(tmp_path / f"w{suffix}").name == "small1"


def test_sam1_tells_its_image_side(sam1: Weights, tmp_path: Path) -> None:
    cells = SAM1_SIDE // 16 + 2
    resized = {**sam1, "image_encoder.pos_embed": torch.zeros(1, cells, cells, 48)}
    for axis in "hw":
        resized[f"image_encoder.blocks.1.attn.rel_pos_{axis}"] = torch.zeros(2 * cells - 1, 16)
    torch.save(resized, tmp_path / "w.pth")
    assert load_model(tmp_path / "w.pth").network.config.geometry.side == SAM1_SIDE + 32
    with pytest.raises(CheckpointError, match=f"cannot see pictures of side 512, wanted {SAM1_SIDE + 32}"):
        load_model(tmp_path / "w.pth", image_side=512)


def test_a_trainers_file_is_asked_for_its_side(sam2: Weights, tmp_path: Path) -> None:
    """A fine-tune of 512 used to be loaded at 1024 without a word, and answered wrongly."""
    torch.save({"model": sam2, "optimizer": {}, "epoch": 3}, tmp_path / "checkpoint.pt")
    with pytest.raises(CheckpointError, match=r"say at which it was with --image-side.*64 is usual"):
        load_model(tmp_path / "checkpoint.pt")
    assert load_model(tmp_path / "checkpoint.pt", image_side=96).network.config.geometry.side == 96


@pytest.mark.parametrize("name", ["sam2_512.pt", "MedSAM2_latest.pt"])
def test_a_files_name_tells_its_side(
    name: str, sam2: Weights, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    torch.save({"model": sam2}, tmp_path / name)
    with caplog.at_level(logging.WARNING):
        model = load_model(tmp_path / name)
    assert model.network.config.geometry.side == 512
    assert "taken as trained at side 512" in caplog.text
    assert model.fingerprint != load_model(tmp_path / name, image_side=64).fingerprint  # no embedding is shared


def test_a_side_that_no_patch_divides_is_refused(sam2: Weights, tmp_path: Path) -> None:
    torch.save({"model": sam2}, tmp_path / "w.pt")
    with pytest.raises(CheckpointError, match="cannot see pictures of side 70"):
        load_model(tmp_path / "w.pt", image_side=70)


def test_weights_for_still_images_alone(sam2: Weights, tmp_path: Path) -> None:
    memory = ("memory_", "maskmem_", "obj_ptr_", "no_obj", "no_mem_pos", "mask_downsample")
    torch.save({k: v for k, v in sam2.items() if not k.startswith(memory)}, tmp_path / "w.pt")
    network = load_model(tmp_path / "w.pt").network
    assert not isinstance(network, Sam2)
    assert network.config.geometry.side == 64


def test_a_folder_of_save_pretrained(sam1: Weights, tmp_path: Path) -> None:
    save_file({key: value.contiguous() for key, value in sam1.items()}, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text(json.dumps({"vision_config": {"image_size": SAM1_SIDE}}))
    assert load_model(tmp_path).name == "small1"


def test_a_folder_without_weights(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"holds no weights, wanted a model\.safetensors"):
        load_model(tmp_path)


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ("mask_decoder.hf_token.weight", "these are HQ-SAM weights"),
        ("image_encoder.blocks.0.attn.qkv.lora_A", "parts of LoRA"),
        ("image_encoder.blocks.0.Adapter.fc1.weight", "a SAM with adapters"),
        ("spatial_perceiver.latents", "these are EdgeTAM weights"),
        ("image_encoder.neck.convs.0.conv_1x1.weight", "these are EfficientTAM weights"),
        ("surprise.weight", "1 unknown keys, such as surprise.weight"),
    ],
)
def test_what_is_known_and_cannot_run_is_called_by_its_name(
    extra: str, message: str, sam1: Weights, tmp_path: Path
) -> None:
    torch.save({**sam1, extra: torch.zeros(1, 3)}, tmp_path / "w.pth")
    with pytest.raises(CheckpointError, match=message):
        load_model(tmp_path / "w.pth")


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("model.22.cv2.0.conv.weight", "a YOLO, such as FastSAM"),
        ("sam_mask_decoder.iou_token.weight", "a mask decoder without the image encoder"),
        ("some.weight", "its 1 keys, such as some.weight, are of none of nano, SAM"),
    ],
)
def test_networks_of_no_family(key: str, message: str, tmp_path: Path) -> None:
    torch.save({key: torch.zeros(1, 3)}, tmp_path / "w.pt")
    with pytest.raises(CheckpointError, match=message):
        load_model(tmp_path / "w.pt")


def test_a_missing_key_is_named(sam2: Weights, tmp_path: Path) -> None:
    torch.save({k: v for k, v in sam2.items() if k != "no_obj_ptr"}, tmp_path / "w.pt")
    with pytest.raises(CheckpointError, match="Against small: 1 missing keys, such as no_obj_ptr"):
        load_model(tmp_path / "w.pt")


def test_a_hub_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own client tried for 24 s; looking up a name has no limit at all."""
    import huggingface_hub

    monkeypatch.setattr(hub_module, "SECONDS_TO_ANSWER", 0.05)
    monkeypatch.setattr(huggingface_hub, "get_hf_file_metadata", lambda *_, **__: time.sleep(1))
    with pytest.raises(CheckpointError, match=r"wanted model\.safetensors from .*owner/weights, got TimeoutError"):
        load_model("owner/weights")
