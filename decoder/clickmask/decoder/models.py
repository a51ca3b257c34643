"""The table of models: names, sizes, licences and where the weights come from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal, Protocol

from clickmask.decoder.errors import DeviceError
from clickmask.decoder.mirrors import Mirrored
from clickmask.decoder.modeling.config import (
    HALF,
    HIERA_BASE_PLUS,
    HIERA_LARGE,
    HIERA_SMALL,
    HIERA_TINY,
    VIT_BASE,
    VIT_HUGE,
    VIT_LARGE,
    Choice,
    Config,
    Geometry,
    HieraConfig,
    NanoConfig,
    RotaryVitConfig,
    Sam1Config,
    Sam2Config,
    TinyVitConfig,
    VitConfig,
)

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from clickmask.decoder.modeling.mask_decoder import DecoderOutput, ImageFeatures

DEFAULT_MODEL = "nano"

Precision = Literal["float32", "bfloat16"]
PRECISIONS: tuple[Precision, ...] = ("float32", "bfloat16")  # bfloat16 is meant for GPUs: less exact
DEVICE_HELP = "where to compute: auto, cpu, cuda, cuda:1, mps; auto is the first GPU if CUDA can be used"
IMAGE_SIDE_HELP = "side at which the weights were trained [px], where it is not their family's own, such as 512"
PRECISION_HELP = "what to compute in: float32, or bfloat16, which is meant for GPUs and a little less exact"


class Network(Protocol):
    """What every promptable network can do."""

    @property
    def config(self) -> Config:
        """Its numbers; how pictures come to it and how its masks are chosen among."""

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
    family: str
    config: Config
    licence: str
    repository: str | None = None  # on the Hugging Face hub; None: shipped in the package
    file_name: str = "model.safetensors"  # in the repository
    mirrored: Mirrored | None = None  # the same file elsewhere
    gated: bool = False  # whether its owner gives it to those only who agreed to the licence


@cache
def _all_cores() -> int:
    """As many threads as torch takes by itself, asked before any are set."""
    import torch

    return torch.get_num_threads()


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """Compute on so many cores in this thread, and as before afterwards."""
    import torch

    before = min(torch.get_num_threads(), _all_cores())
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A network with weights, ready to use; never changed, so threads may share it."""

    name: str
    network: Network
    device: torch.device
    precision: torch.dtype
    fingerprint: str  # equal for equal weights and precision, and for no others
    adapter: str | None = None  # what it learned on top of its weights, by name; see ``learning``

    @property
    def version(self) -> str:
        """Its name and that of its adapter, such as ``nano+flowers-3``."""
        return self.name if self.adapter is None else f"{self.name}+{self.adapter}"

    @contextmanager
    def computing(self) -> Iterator[None]:
        """What answers are computed in: without gradients, in this precision, on as many cores as pay.

        Enter it in the thread that computes. A small model runs on one core: its steps are so short that threads
        would mostly wait for each other, and for whatever else the machine does.

        Raises:
            DeviceError: If the device's memory does not suffice.
        """
        import torch  # the table of models is read where PyTorch is not needed

        cores = 1 if isinstance(self.network.config, NanoConfig) else _all_cores()
        precision = torch.autocast(self.device.type, dtype=self.precision, enabled=self.precision != torch.float32)
        try:
            with _threads(cores), torch.inference_mode(), precision:
                yield
        except torch.OutOfMemoryError:
            raise DeviceError(
                f"the memory of {self.device} does not suffice for {self.name}, wanted a smaller model, another device "
                "or fewer programs on this one"
            ) from None


def _sam1(name: str, slug: str, trunk: VitConfig) -> ModelSpec:
    return ModelSpec(name, "SAM 1", Sam1Config(trunk), "Apache-2.0 (Meta)", f"facebook/sam-vit-{slug}")


_META = "https://dl.fbaipublicfiles.com/segment_anything_2"
_DATES = {"sam2.1": "092824", "sam2": "072824"}
_SHA256 = {  # of the official files of SAM 2.1 and SAM 2
    "sam2.1_hiera_tiny.pt": "7402e0d864fa82708a20fbd15bc84245c2f26dff0eb43a4b5b93452deb34be69",
    "sam2.1_hiera_small.pt": "6d1aa6f30de5c92224f8172114de081d104bbd23dd9dc5c58996f0cad5dc4d38",
    "sam2.1_hiera_base_plus.pt": "a2345aede8715ab1d5d31b4a509fb160c5a4af1970f199d9054ccfb746c004c5",
    "sam2.1_hiera_large.pt": "2647878d5dfa5098f2f8649825738a9345572bae2d4350a2468587ece47dd318",
    "sam2_hiera_tiny.pt": "65b50056e05bcb13694174f51bb6da89c894b57b75ccdf0ba6352c597c5d1125",
    "sam2_hiera_small.pt": "95949964d4e548409021d47b22712d5f1abf2564cc0c3c765ba599a24ac7dce3",
    "sam2_hiera_base_plus.pt": "d0bb7f236400a49669ffdd1be617959a8b1d1065081789d7bbff88eded3a8071",
    "sam2_hiera_large.pt": "7442e4e9b732a508f80e141e7c2913437a3610ee0c77381a66658c3a445df87b",
}
_MOBILE_SAM = Mirrored(
    "mobile_sam.pt",
    "6dbb90523a35330fedd7f1d3dfc66f995213d81b29a5ca8108dbcdd4e37d6c2f",
    (
        "https://raw.githubusercontent.com/ChaoningZhang/MobileSAM/f706ad9c4eb7f219c00d9050e46328518ffb65d2/"
        "weights/mobile_sam.pt",
    ),
)


def _sam2(size: str, trunk: HieraConfig) -> list[ModelSpec]:
    slug, licence = size.replace("_", "-"), "Apache-2.0 (Meta)"
    versions: tuple[tuple[str, Literal["2.0", "2.1"]], ...] = (("sam2.1", "2.1"), ("sam2", "2.0"))
    return [
        ModelSpec(
            f"{name}_hiera_{size}",
            f"SAM {version}",
            Sam2Config(trunk, version),
            licence,
            f"facebook/{name}-hiera-{slug}",
            file_name := f"{name}_hiera_{size}.pt",
            Mirrored(file_name, _SHA256[file_name], (f"{_META}/{_DATES[name]}/{file_name}",)),
        )
        for name, version in versions
    ]


MODELS: dict[str, ModelSpec] = {
    spec.name: spec
    for spec in [
        ModelSpec("nano", "nano", NanoConfig(), "Apache-2.0 (ClickMask), credits in its model card"),
        *_sam2("tiny", HIERA_TINY),
        *_sam2("small", HIERA_SMALL),
        *_sam2("base_plus", HIERA_BASE_PLUS),
        *_sam2("large", HIERA_LARGE),
        ModelSpec(
            "sam3",
            "SAM 3",
            Sam2Config(
                RotaryVitConfig(),
                "2.1",
                Geometry(1008, 14, mean=HALF, std=HALF),
                choice=Choice(ambiguous="stability"),  # its predicted IoU is poor
            ),
            "SAM License (Meta), gated",
            "facebook/sam3",
            gated=True,
        ),
        ModelSpec(
            "mobile_sam",
            "MobileSAM",
            Sam1Config(TinyVitConfig()),
            "Apache-2.0 (Kyung Hee University)",
            "dhkim2810/MobileSAM",
            "mobile_sam.pt",
            _MOBILE_SAM,
        ),
        _sam1("sam_vit_b", "base", VIT_BASE),
        _sam1("sam_vit_l", "large", VIT_LARGE),
        _sam1("sam_vit_h", "huge", VIT_HUGE),
    ]
}
