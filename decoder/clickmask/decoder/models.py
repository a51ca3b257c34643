"""The table of models: names, sizes, licences and where the weights come from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from clickmask.decoder.errors import DeviceError
from clickmask.decoder.modeling.config import (
    HIERA_BASE_PLUS,
    HIERA_LARGE,
    HIERA_SMALL,
    HIERA_TINY,
    HieraConfig,
    NanoConfig,
    Sam2Config,
)

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from clickmask.decoder.modeling.mask_decoder import DecoderOutput
    from clickmask.decoder.modeling.sam2 import ImageFeatures

DEFAULT_MODEL = "nano"

Precision = Literal["float32", "bfloat16"]
PRECISIONS: tuple[Precision, ...] = ("float32", "bfloat16")  # bfloat16 is meant for GPUs: less exact
DEVICE_HELP = "where to compute: auto, cpu, cuda, cuda:1, mps; auto is the first GPU if CUDA can be used"
PRECISION_HELP = "what to compute in: float32, or bfloat16, which is meant for GPUs and a little less exact"


class Network(Protocol):
    """What every promptable network can do."""

    @property
    def image_side(self) -> int:
        """Side of the square it sees [px]."""

    def encode(self, pixels: Tensor) -> ImageFeatures:
        """(B, 3, S, S) normalised RGB to features."""

    def decode(
        self, features: ImageFeatures, points: Tensor, labels: Tensor, mask_logits: Tensor | None
    ) -> DecoderOutput:
        """Answer B prompts; see ``Sam2.decode``."""


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """One row of the table of models."""

    name: str
    config: Sam2Config | NanoConfig
    licence: str
    repository: str | None = None  # on the Hugging Face hub; None: shipped in the package

    @property
    def file_name(self) -> str:
        """The weights' file in the repository."""
        return f"{self.name}.pt"


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A network with weights, ready to use; never changed, so threads may share it."""

    name: str
    network: Network
    device: torch.device
    precision: torch.dtype
    fingerprint: str  # equal for equal weights and precision, and for no others

    @contextmanager
    def computing(self) -> Iterator[None]:
        """What answers are computed in: without gradients, in this precision. Enter it in the thread that computes.

        Raises:
            DeviceError: If the device's memory does not suffice.
        """
        import torch  # the table of models is read where PyTorch is not needed

        precision = torch.autocast(self.device.type, dtype=self.precision, enabled=self.precision != torch.float32)
        try:
            with torch.inference_mode(), precision:
                yield
        except torch.OutOfMemoryError:
            raise DeviceError(
                f"the memory of {self.device} does not suffice for {self.name}, wanted a smaller model, another device "
                "or fewer programs on this one"
            ) from None


def _sam2(size: str, trunk: HieraConfig) -> list[ModelSpec]:
    slug = size.replace("_", "-")
    return [
        ModelSpec(
            f"sam2.1_hiera_{size}", Sam2Config(trunk, "2.1"), "Apache-2.0 (Meta)", f"facebook/sam2.1-hiera-{slug}"
        ),
        ModelSpec(f"sam2_hiera_{size}", Sam2Config(trunk, "2.0"), "Apache-2.0 (Meta)", f"facebook/sam2-hiera-{slug}"),
    ]


MODELS: dict[str, ModelSpec] = {
    spec.name: spec
    for spec in [
        ModelSpec("nano", NanoConfig(), "Apache-2.0 (ClickMask), credits in its model card"),
        *_sam2("tiny", HIERA_TINY),
        *_sam2("small", HIERA_SMALL),
        *_sam2("base_plus", HIERA_BASE_PLUS),
        *_sam2("large", HIERA_LARGE),
    ]
}
