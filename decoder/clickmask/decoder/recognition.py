"""Which network some weights belong to, told from their keys and shapes; what belongs to none is called by its name."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from clickmask.decoder.errors import CheckpointError
from clickmask.decoder.modeling.config import Config, Shapes
from clickmask.decoder.modeling.keys import Layout
from clickmask.decoder.models import MODELS, ModelSpec
from clickmask.decoder.weight_files import WeightFile

# Patterns of keys that a network has beside those of a family, and what it is then.
ALTERED = (
    (r"(^|\.)hf_token\.|(^|\.)hf_mlp\.", "HQ-SAM weights, whose decoder has one more mask than SAM's"),
    (r"\.?lora[_.]", "parts of LoRA, wanted weights into which they were merged"),
    (r"^spatial_perceiver\.|timm_(model|encoder)\.|^image_encoder\.trunk\.body\.", "EdgeTAM weights"),
    (r"^image_encoder\.neck\.convs\.\d+\.(?!conv\.)", "EfficientTAM weights"),
    (r"Adapter\.|\.adapter\.", "a SAM with adapters, such as SAM-Med2D, wanted one without"),
)
# Patterns of keys of networks that are of no family here, and what they are.
FOREIGN = (
    (r"^detector\.|^detector_model\.", "SAM 3's detector without its tracker's click head"),
    (r"^(model\.)?\d+\.(conv|cv\d|m)\.", "a YOLO, such as FastSAM"),
    (r"^image_encoder\.backbone\.|^backbone\.stages\.", "EfficientViT-SAM or RepViT-SAM weights"),
    (r"^image_encoder\.transformer_encoder", "EfficientSAM weights"),
    (r"^(sam_mask_decoder|mask_decoder)\.", "a mask decoder without the image encoder that belongs to it"),
)


@dataclass(frozen=True, slots=True, eq=False)
class Recognised:
    """Weights of a network we know."""

    spec: ModelSpec  # its config is as the weights tell it
    weights: Mapping[str, Tensor]  # by our names


def recognise(file: WeightFile, wanted: ModelSpec | None = None) -> Recognised:
    """Tell which network a file's weights belong to.

    Args:
        file: Of weights.
        wanted: The network they are said to be of, None if nobody says.

    Raises:
        CheckpointError: If they belong to none, or not to the wanted one.
    """
    specs = [wanted] if wanted else list(MODELS.values())
    layout = _find_layout(file, specs)
    try:
        weights = layout.translate(file.weights)
    except ValueError as error:
        raise CheckpointError(f"{file.path} cannot be used: {error}") from error
    shapes = shapes_of(weights)
    candidates = [_fitted(spec, shapes) for spec in specs if layout in spec.config.layouts()]
    differences = [len(shapes.items() ^ _wanted_shapes(cast(Hashable, spec.config)).items()) for spec in candidates]
    nearest = candidates[differences.index(min(differences))]
    if min(differences) > 0:
        what = f"does not hold {wanted.name}" if wanted else "fits no model"
        raise CheckpointError(f"{file.path} {what}. {difference(shapes, nearest)}")
    return Recognised(nearest, weights)


def blank_network(config: Config) -> nn.Module:
    """The network without memory for its weights."""
    with torch.device("meta"), _Unfilled():
        return config.build()


def random_weights(config: Config) -> dict[str, Tensor]:
    """Weights that mean nothing, for measuring how long a network takes."""
    state = blank_network(config).state_dict()
    return {
        key: 0.02 * torch.randn(value.shape) if value.is_floating_point() else torch.zeros_like(value, device="cpu")
        for key, value in state.items()
    }


def shapes_of(weights: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    """Keys and shapes."""
    return {key: tuple(value.shape) for key, value in weights.items()}


def difference(got: Shapes, spec: ModelSpec) -> str:
    """What is missing, unknown or of another shape against a network, each with an example."""
    wanted = _wanted_shapes(cast(Hashable, spec.config))
    missing, unknown = sorted(wanted.keys() - got.keys()), sorted(got.keys() - wanted.keys())
    parts = [f"{len(missing)} missing keys, such as {missing[0]}"] if missing else []
    parts += [f"{len(unknown)} unknown keys, such as {unknown[0]}"] if unknown else []
    wrong = sorted(key for key in wanted.keys() & got.keys() if wanted[key] != got[key])
    parts += [f"{key} has shape {got[key]}, wanted {wanted[key]}" for key in wrong[:1]]
    return f"Against {spec.name}: {'; '.join(parts)}."


def _find_layout(file: WeightFile, specs: list[ModelSpec]) -> Layout:
    keys = file.weights
    _refuse(file, ALTERED)
    for layout in dict.fromkeys(layout for spec in specs for layout in spec.config.layouts()):
        if layout.fits(keys):
            return layout
    _refuse(file, FOREIGN)
    example = next(iter(keys))
    families = ", ".join(dict.fromkeys(spec.family for spec in MODELS.values()))
    raise CheckpointError(
        f"{file.path} fits no model: its {len(keys)} keys, such as {example}, are of none of {families}"
    )


def _refuse(file: WeightFile, table: tuple[tuple[str, str], ...]) -> None:
    for pattern, what in table:
        if any(re.search(pattern, key) for key in file.weights):
            raise CheckpointError(f"{file.path} cannot run here: these are {what}")


def _fitted(spec: ModelSpec, shapes: Shapes) -> ModelSpec:
    return replace(spec, config=spec.config.fitted(shapes))


@cache
def _wanted_shapes(config: Hashable) -> Shapes:
    """Made once per configuration: a network takes a while to lay out."""
    return shapes_of(blank_network(cast(Config, config)).state_dict())


class _Unfilled(TorchFunctionMode):
    """Leaves new weights unfilled: PyTorch imports its compiler, 2 s, to draw random numbers without memory."""

    def __torch_function__(
        self, func: Any, types: object, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if getattr(func, "__module__", None) == "torch.nn.init":
            return kwargs["tensor"] if "tensor" in kwargs else args[0]
        return (torch.empty if func is torch.randn else func)(*args, **kwargs)
