"""What plugin and app ask of an engine, whether it computes here or on other machines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from clickmask.decoder.mask_rule import DEFAULT_RULE, MaskRule

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from clickmask.decoder.auto.found import FoundMask
    from clickmask.decoder.auto.generate import Progress
    from clickmask.decoder.auto.settings import AutoSettings
    from clickmask.decoder.images import ImageSource
    from clickmask.decoder.models import Model
    from clickmask.decoder.prompts import Prompt, Size


class Answer(Protocol):
    """The answer to a prompt, as a person sees it; see ``Segmentation``."""

    @property
    def chosen(self) -> int:
        """The row the rule picked."""

    @property
    def score(self) -> float:
        """Predicted IoU of the chosen mask, in [0, 1]."""

    @property
    def predicted_iou(self) -> tuple[float, ...]:
        """Of each row: (4,) in [0, 1]."""

    @property
    def stability(self) -> tuple[float, ...]:
        """Of each row: (4,) in [0, 1]."""

    @property
    def object_score(self) -> float:
        """Logit, > 0: there is an object."""

    @property
    def cache_hit(self) -> bool:
        """Whether the image was encoded before."""

    @property
    def encode_ms(self) -> float:
        """Time [ms]."""

    @property
    def decode_ms(self) -> float:
        """Time [ms]."""

    def mask(self, row: int | None = None) -> NDArray[np.bool_]:
        """The chosen mask as it is shown, or another row's as it was answered, at the image's size: (H, W)."""


class Chain(Protocol):
    """Answers clicks from the answer to the clicks before them; see ``ClickChain``."""

    def segment(
        self, image: ImageSource, prompt: Prompt, how: MaskRule = DEFAULT_RULE, how_before: MaskRule | None = None
    ) -> Answer:
        """Answer a prompt."""


class ClickEngine(Protocol):
    """Answers prompts on images; see ``Engine``."""

    @property
    def model(self) -> Model:
        """The model, in this process: to follow objects with."""

    @property
    def chain(self) -> Chain:
        """Answers clicks from the answer to the clicks before them."""

    @property
    def wants_zoom(self) -> bool:
        """Whether a second look is worth its time."""

    def segment(self, image: ImageSource, prompt: Prompt, how: MaskRule = DEFAULT_RULE) -> Answer:
        """Answer one prompt by itself."""

    def segment_everything(
        self, image: ImageSource, settings: AutoSettings | None = None, progress: Progress = ...
    ) -> list[FoundMask]:
        """Find the masks of an image without a prompt."""

    def encode(self, image: ImageSource) -> bool:
        """Make sure a click on this image needs no encoding; say whether that was so already."""

    def image_size(self, image: ImageSource) -> Size:
        """The size of an image; encodes it if need be."""

    def is_cached(self, image_key: str) -> bool:
        """Whether a click on this image needs no encoding."""

    def has_pixels(self, image_key: str) -> bool:
        """Whether nothing needs to load the image."""

    def waiting(self) -> int:
        """How many clicks wait for the device."""
