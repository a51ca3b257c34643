"""Names to networks with weights, and what can go wrong on the way.

Weights come from the package (nano), a local file or folder, the Hugging Face hub, or a mirror.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import cast

import torch
from torch import Tensor

from clickmask.decoder import hub
from clickmask.decoder.errors import CheckpointError, DeviceError
from clickmask.decoder.mirrors import cached_mirrored, fetch_mirrored
from clickmask.decoder.modeling.config import Config
from clickmask.decoder.models import DEFAULT_MODEL, MODELS, PRECISIONS, Model, ModelSpec, Network, Precision
from clickmask.decoder.recognition import Recognised, blank_network, difference, recognise, shapes_of
from clickmask.decoder.weight_files import SUFFIXES, WeightFile, find_weight_file, read_weight_file

NANO_WEIGHTS = Path(__file__).parent / "weights" / "nano.safetensors"

_HUB_ID = re.compile(r"^[\w-][\w.-]*/[\w.-]+$")
_SIDE_IN_NAME = re.compile(r"(?<!\d)(256|384|512|640|768|1008|1024|1280|1536)(?!\d)")
_SIDES_OF_FINE_TUNES = {"medsam2": 512}  # by a part of the file's name in small letters

_log = logging.getLogger(__name__)


def load_model(
    name_or_path: str | Path = DEFAULT_MODEL,
    *,
    device: str | torch.device = "cpu",
    precision: Precision = "float32",
    image_side: int | None = None,
) -> Model:
    """Make a network and give it its weights.

    Args:
        name_or_path: A name from ``MODELS``, a file or folder of weights of any of these networks (which one is told
            from its keys), or the name of a repository on the Hugging Face hub, such as ``facebook/sam2.1-hiera-tiny``.
        device: Where to compute, such as ``"cpu"`` or ``"cuda"``; ``"auto"`` is the first GPU if CUDA can be used.
        precision: ``"float32"``, or ``"bfloat16"``, which is meant for GPUs and a little less exact.
        image_side: Of the square the network sees [px], for weights trained at another than their family's.

    Raises:
        CheckpointError: If the name is unknown, the weights cannot be fetched or read, or
            they are not those of the network; or if the precision or the side cannot be used.
        DeviceError: If the device cannot be used here.
    """
    place, dtype = find_device(device), _check_precision(precision)
    name = str(name_or_path)
    wanted = MODELS.get(name) or next((spec for spec in MODELS.values() if spec.repository == name), None)
    file = read_weight_file(find_weights(wanted) if wanted else _find_file(name))
    found = recognise(file, wanted)
    config = _at_side(found, file, image_side, is_official=wanted is not None)
    network = build_network(replace(found.spec, config=config), found.weights, file.path, place)
    return Model(found.spec.name, network, place, dtype, _fingerprint(found.weights, config, dtype))


def find_weights(spec: ModelSpec) -> Path:
    """Return the weights' file, fetched (with a progress bar) unless it is here already.

    Where the hub does not give it, the mirrors that are known are asked; what they give is kept only if its
    SHA-256 is right.

    Raises:
        CheckpointError: If it is neither here nor can be fetched.
    """
    if spec.repository is not None:
        return cached_weights(spec) or _fetched(spec.repository, spec)
    if not NANO_WEIGHTS.is_file():
        raise CheckpointError(f"the shipped weights are missing: wanted {NANO_WEIGHTS}")
    return NANO_WEIGHTS


def cached_weights(spec: ModelSpec) -> Path | None:
    """Where the weights lie on this machine, or None if they would have to be fetched."""
    if spec.repository is not None:
        found = None if spec.mirrored is None else cached_mirrored(spec.mirrored)
        return found or hub.cached(spec.repository, spec.file_name)
    return NANO_WEIGHTS if NANO_WEIGHTS.is_file() else None


def read_weights(path: Path) -> Mapping[str, Tensor]:
    """Read the weights of any network we know, by our names.

    Raises:
        CheckpointError: If the file is broken, cut short, or of no network we know.
    """
    return recognise(read_weight_file(path)).weights


def build_network(
    spec: ModelSpec, weights: Mapping[str, Tensor], path: Path, device: torch.device | None = None
) -> Network:
    """Make the network in evaluation mode, with these weights in float32.

    Raises:
        CheckpointError: If a key is missing, unknown, or has another shape or kind of number.
    """
    network = blank_network(spec.config)
    state = network.state_dict()
    if shapes_of(weights) != shapes_of(state):
        raise CheckpointError(f"{path} does not hold {spec.name}. {difference(shapes_of(weights), spec)}")
    for key, value in weights.items():
        if value.is_floating_point() != state[key].is_floating_point():
            raise CheckpointError(
                f"{path} does not hold {spec.name}: {key} is {value.dtype}, wanted {state[key].dtype}"
            )
    whole = {key: value.float() if value.is_floating_point() else value for key, value in weights.items()}
    network.load_state_dict(whole, strict=True, assign=True)
    return cast(Network, network.eval().requires_grad_(False).to(device))


def find_device(device: str | torch.device) -> torch.device:
    """The device of this name; ``"auto"`` is the first GPU if CUDA can be used.

    Raises:
        DeviceError: If it cannot be used here.
    """
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        place = torch.device(device)
        torch.empty(0, device=place)
    except (RuntimeError, AssertionError) as error:  # torch without CUDA asserts
        raise DeviceError(f"device {device} cannot be used here: {_first_line(error)}") from error
    return place


def parameter_count(spec: ModelSpec) -> int:
    """How many numbers the network has learnt."""
    return sum(parameter.numel() for parameter in blank_network(spec.config).parameters())


def _fetched(repository: str, spec: ModelSpec) -> Path:
    try:
        return hub.fetch(repository, spec.file_name)
    except CheckpointError as error:
        if spec.mirrored is None:
            raise
        try:
            return fetch_mirrored(spec.mirrored)
        except CheckpointError as second:
            raise CheckpointError(f"{error} {second}") from error


def _find_file(name: str) -> Path:
    """The file of weights of a path, or of a repository on the hub."""
    path = Path(name)
    if path.is_dir():
        found = find_weight_file(path)
        if found is None:
            raise CheckpointError(f"the folder {name} holds no weights, wanted a model.safetensors in it")
        return found
    if find_weight_file(path) is not None:
        return path
    if _HUB_ID.match(name):
        return hub.fetch(name, "model.safetensors")
    raise CheckpointError(
        f"model {name!r} is unknown, wanted a file ({', '.join(SUFFIXES)}), a folder of save_pretrained, a repository "
        f"on the Hugging Face hub (owner/name) or one of {', '.join(MODELS)}"
    )


def _at_side(found: Recognised, file: WeightFile, asked: int | None, *, is_official: bool) -> Config:
    """The network's numbers for the image side it was trained at.

    It is asked for where it cannot be told: some weights fit any side, and answer wrongly at another.
    """
    config, usual = found.spec.config, MODELS[found.spec.name].config
    told = file.image_side or (None if is_official else _side_in_name(file.path))
    side = asked or told
    if side is None or side == config.geometry.side:
        if side is None and file.is_trainers and config == usual and not _has_side(config):
            raise CheckpointError(
                f"{file.path} was written by a training program, and {found.spec.name} can be trained at any image "
                f"side: say at which it was with --image-side (image_side=); {config.geometry.side} is usual"
            )
        return config
    resized = config.at_side(side)
    if side % config.geometry.stride or shapes_of(blank_network(resized).state_dict()) != shapes_of(found.weights):
        raise CheckpointError(f"{file.path} cannot see pictures of side {side}, wanted {config.geometry.side}")
    if asked is not None and told not in (None, asked):
        _log.warning("%s seems to be trained at side %d; %d is used as asked for", file.path, told, asked)
    elif asked is None:
        _log.warning("%s is taken as trained at side %d; say so with --image-side if not", file.path, side)
    return resized


def _has_side(config: Config) -> bool:
    """Whether weights fit one image side only, so that they tell it."""
    here, there = (shapes_of(blank_network(c).state_dict()) for c in (config, config.at_side(2 * config.geometry.side)))
    return here != there


def _side_in_name(path: Path) -> int | None:
    name = path.stem.lower()
    known = [side for part, side in _SIDES_OF_FINE_TUNES.items() if part in name]
    found = _SIDE_IN_NAME.search(name)
    return known[0] if known else int(found[1]) if found else None


def _fingerprint(weights: Mapping[str, Tensor], config: Config, precision: torch.dtype) -> str:
    """Digest the vectors (biases, norms): quick, and no two trainings share them; and how pictures come to them."""
    digest = hashlib.sha256(f"{precision} {config.geometry}".encode())
    for key, value in sorted(weights.items()):
        if value.ndim == 1:
            digest.update(key.encode() + value.float().numpy().tobytes())
    return digest.hexdigest()


def _check_precision(precision: Precision) -> torch.dtype:
    if precision not in PRECISIONS:
        raise CheckpointError(f"precision {precision!r} is unknown, wanted {' or '.join(PRECISIONS)}")
    return torch.bfloat16 if precision == "bfloat16" else torch.float32


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
