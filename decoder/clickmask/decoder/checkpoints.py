"""Names to networks with weights, and what can go wrong on the way.

Weights come from the package (nano), a local ``.pt`` or ``.safetensors`` file, or the Hugging Face hub.
"""

from __future__ import annotations

import hashlib
import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from clickmask.decoder.errors import CheckpointError
from clickmask.decoder.modeling.config import NanoConfig
from clickmask.decoder.modeling.nano import Nano
from clickmask.decoder.modeling.sam2 import Sam2
from clickmask.decoder.models import DEFAULT_MODEL, MODELS, PRECISIONS, Model, ModelSpec, Precision

NANO_WEIGHTS = Path(__file__).parent / "weights" / "nano.safetensors"

# Our module names, where they differ from the official state dict's.
_OFFICIAL_PREFIXES = {"sam_prompt_encoder.": "prompt_encoder.", "sam_mask_decoder.": "mask_decoder."}


def load_model(
    name_or_path: str | Path = DEFAULT_MODEL,
    *,
    device: str | torch.device = "cpu",
    precision: Precision = "float32",
) -> Model:
    """Make a network and give it its weights.

    Args:
        name_or_path: A name from ``MODELS``, or a ``.pt`` or ``.safetensors`` file of any of
            these networks (which one is told from its keys).
        device: Where to compute, such as ``"cpu"`` or ``"cuda"``; ``"auto"`` is the first GPU if CUDA can be used.
        precision: ``"float32"``, or ``"bfloat16"``, which is meant for GPUs and a little less exact.

    Raises:
        CheckpointError: If the name is unknown, the weights cannot be fetched or read, or
            they are not those of the network; or if the device or the precision cannot be used.
    """
    place, dtype = find_device(device), _check_precision(precision)
    name = str(name_or_path)
    if name in MODELS:
        spec = MODELS[name]
        path = find_weights(spec)
        weights = read_weights(path)
    else:
        path = _check_path(name)
        weights = read_weights(path)
        spec = recognise(weights, path)
    network = build_network(spec, weights, path).to(place)
    return Model(spec.name, network, place, dtype, _fingerprint(weights, dtype))


def find_weights(spec: ModelSpec) -> Path:
    """Return the weights' file, fetched from the hub (with a progress bar) unless it is here already.

    Raises:
        CheckpointError: If it is neither here nor can be fetched.
    """
    if spec.repository is None:
        if not NANO_WEIGHTS.is_file():
            raise CheckpointError(f"the shipped weights are missing: wanted {NANO_WEIGHTS}")
        return NANO_WEIGHTS
    from huggingface_hub import hf_hub_download  # takes a second to import, and most runs never need it

    try:
        return Path(hf_hub_download(spec.repository, spec.file_name))
    except Exception as error:  # its HTTP library changes with its version, and so do the errors it lets through
        raise CheckpointError(
            f"the weights of {spec.name} cannot be fetched: wanted {spec.file_name} from "
            f"https://huggingface.co/{spec.repository}, got {type(error).__name__}. Check the network, set HF_ENDPOINT "
            f"to a mirror, or download the file elsewhere and give its path as the model."
        ) from error


def cached_weights(spec: ModelSpec) -> Path | None:
    """Where the weights lie on this machine, or None if they would have to be fetched."""
    if spec.repository is None:
        return NANO_WEIGHTS if NANO_WEIGHTS.is_file() else None
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(spec.repository, spec.file_name)
    return Path(found) if isinstance(found, str) else None


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read a state dict, with our module names.

    Raises:
        CheckpointError: If the file is broken, cut short, or holds no state dict.
    """
    try:
        if path.suffix == ".safetensors":
            state = load_file(path)
        else:
            state = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except pickle.UnpicklingError as error:
        raise CheckpointError(f"{path} cannot be read as weights: it holds code, wanted tensors only") from error
    except SafetensorError as error:
        raise CheckpointError(f"{path} is not a whole safetensors file: {error}") from error
    except Exception as error:  # a damaged pickle raises whatever its bytes lead to
        reason = _first_line(error) if _is_archive(path) else "it is cut short or not from torch.save"
        raise CheckpointError(f"{path} cannot be read as weights: {reason}") from error
    if isinstance(state, dict) and isinstance(state.get("model"), dict):
        state = state["model"]  # the official files wrap the state dict
    if not isinstance(state, dict) or not state or not all(_is_named_tensor(*item) for item in state.items()):
        raise CheckpointError(f"{path} holds {type(state).__name__} without tensors, wanted a state dict")
    return {_our_name(key): value for key, value in state.items()}


def _is_archive(path: Path) -> bool:
    try:
        return zipfile.is_zipfile(path)
    except zipfile.BadZipFile:
        return False


def _is_named_tensor(name: object, value: object) -> bool:
    return isinstance(name, str) and isinstance(value, Tensor)


def recognise(weights: dict[str, Tensor], path: Path) -> ModelSpec:
    """Tell from the keys and shapes which network the weights belong to.

    Raises:
        CheckpointError: If they belong to none.
    """
    blanks = {name: _blank_network(spec) for name, spec in MODELS.items()}
    got = _shapes(weights).items()
    for name, blank in blanks.items():
        if got == _shapes(blank.state_dict()).items():
            return MODELS[name]
    nearest = min(blanks, key=lambda name: len(got ^ _shapes(blanks[name].state_dict()).items()))
    raise CheckpointError(f"{path} fits no model. {_difference(weights, blanks[nearest], MODELS[nearest])}")


def build_network(spec: ModelSpec, weights: dict[str, Tensor], path: Path) -> Nano | Sam2:
    """Make the network in evaluation mode, with these weights in float32.

    Raises:
        CheckpointError: If a key is missing, unknown, or has another shape or kind of number.
    """
    network = _blank_network(spec)
    if _shapes(weights) != _shapes(network.state_dict()):
        raise CheckpointError(f"{path} does not hold {spec.name}. {_difference(weights, network, spec)}")
    state = network.state_dict()
    for key, value in weights.items():
        if value.is_floating_point() != state[key].is_floating_point():
            raise CheckpointError(
                f"{path} does not hold {spec.name}: {key} is {value.dtype}, wanted {state[key].dtype}"
            )
    whole = {key: value.float() if value.is_floating_point() else value for key, value in weights.items()}
    network.load_state_dict(whole, strict=True, assign=True)
    return network.eval().requires_grad_(False)


def find_device(device: str | torch.device) -> torch.device:
    """The device of this name; ``"auto"`` is the first GPU if CUDA can be used.

    Raises:
        CheckpointError: If it cannot be used here.
    """
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        place = torch.device(device)
        torch.empty(0, device=place)
    except (RuntimeError, AssertionError) as error:  # torch without CUDA asserts
        raise CheckpointError(f"device {device} cannot be used here: {_first_line(error)}") from error
    return place


def parameter_count(spec: ModelSpec) -> int:
    """How many numbers the network has learnt."""
    return sum(parameter.numel() for parameter in _blank_network(spec).parameters())


def _blank_network(spec: ModelSpec) -> Nano | Sam2:
    """The network without memory for its weights."""
    with torch.device("meta"), _Unfilled():
        return Nano(spec.config) if isinstance(spec.config, NanoConfig) else Sam2(spec.config)


class _Unfilled(TorchFunctionMode):
    """Leaves new weights unfilled: PyTorch imports its compiler, 2 s, to draw random numbers without memory."""

    def __torch_function__(
        self, func: Any, types: object, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if getattr(func, "__module__", None) == "torch.nn.init":
            return kwargs["tensor"] if "tensor" in kwargs else args[0]
        return (torch.empty if func is torch.randn else func)(*args, **kwargs)


def _shapes(state: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {key: tuple(value.shape) for key, value in state.items()}


def _difference(weights: dict[str, Tensor], network: nn.Module, spec: ModelSpec) -> str:
    got, wanted = _shapes(weights), _shapes(network.state_dict())
    missing, unknown = sorted(wanted.keys() - got.keys()), sorted(got.keys() - wanted.keys())
    parts = [f"{len(missing)} missing keys, such as {missing[0]}"] if missing else []
    parts += [f"{len(unknown)} unknown keys, such as {unknown[0]}"] if unknown else []
    wrong = sorted(key for key in wanted.keys() & got.keys() if wanted[key] != got[key])
    parts += [f"{key} has shape {got[key]}, wanted {wanted[key]}" for key in wrong[:1]]
    return f"Against {spec.name}: {'; '.join(parts)}."


def _fingerprint(weights: dict[str, Tensor], precision: torch.dtype) -> str:
    """Digest the vectors (biases, norms): quick, and no two trainings share them."""
    digest = hashlib.sha256(str(precision).encode())
    for key, value in sorted(weights.items()):
        if value.ndim == 1:
            digest.update(key.encode() + value.float().numpy().tobytes())
    return digest.hexdigest()


def _our_name(key: str) -> str:
    for official, ours in _OFFICIAL_PREFIXES.items():
        if key.startswith(official):
            return ours + key.removeprefix(official)
    return key


def _check_path(name: str) -> Path:
    path = Path(name)
    if path.suffix not in {".pt", ".pth", ".safetensors"}:
        raise CheckpointError(
            f"model {name!r} is unknown, wanted a .pt or .safetensors file or one of {', '.join(MODELS)}"
        )
    if not path.is_file():
        raise CheckpointError(f"the weights file {name} does not exist")
    return path


def _check_precision(precision: Precision) -> torch.dtype:
    if precision not in PRECISIONS:
        raise CheckpointError(f"precision {precision!r} is unknown, wanted {' or '.join(PRECISIONS)}")
    return torch.bfloat16 if precision == "bfloat16" else torch.float32


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
