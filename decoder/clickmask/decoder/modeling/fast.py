"""SAM 1, 2 and 3 for still images, faster and equal to rounding: the same networks with their decoder folded.

Features made here are cells, see ``cells`` (h, w: the embedding's grid, C its channels): ``image`` (B, h*w, C),
``s8`` (B, h*w * 4, C / 4) and ``s4`` (B, h*w * 16, C / 8); the fine maps have no channels where a family has none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from clickmask.decoder.modeling.cells import to_cells, to_map
from clickmask.decoder.modeling.config import Sam1Config, Sam2Config
from clickmask.decoder.modeling.fast_hiera import FastHiera
from clickmask.decoder.modeling.folded import FoldedTransformer, FoldedUpscaling
from clickmask.decoder.modeling.mask_decoder import DecoderOutput, HighResolution, ImageFeatures
from clickmask.decoder.modeling.neck import ImageEncoder
from clickmask.decoder.modeling.products import with_products
from clickmask.decoder.modeling.sam1 import Sam1
from clickmask.decoder.modeling.sam2 import ImageSam2
from clickmask.decoder.modeling.shared import with_weights

FINE_PROJECTIONS = ("mask_decoder.conv_s0.", "mask_decoder.conv_s1.")  # of the mask decoder, but done by the encoder

Encode = Callable[[Tensor], ImageFeatures]


class FastSam:
    """A network with the interface of the one it is made of, for still images.

    Args:
        network: The plain network.
        encode: Its encoder that gives cells, where it was made already.
    """

    def __init__(self, network: ImageSam2 | Sam1, encode: Encode | None = None) -> None:
        self.network = network
        self._copy = with_products(network)
        side, decoder = network.config.geometry.cells, self._copy.mask_decoder
        with torch.inference_mode():
            position = network.prompt_encoder.pe_layer.grid(side, side)  # (1, C, h, w)
            outputs = decoder.with_output_tokens(position.new_zeros(1, 0, position.shape[1])).shape[1]
            self._transformer = FoldedTransformer(decoder.transformer, to_cells(position, 0)[0], outputs)
            self._upscaling = FoldedUpscaling(decoder.output_upscaling)
            self._encode = _encoder(self._copy) if encode is None else encode

    def with_weights(self, weights: Mapping[str, Tensor]) -> FastSam:
        """The same network with other weights of its mask decoder; if it can be, the encoder is shared."""
        apart = any(name.startswith(FINE_PROJECTIONS) for name in weights)
        return FastSam(with_weights(self.network, weights), None if apart else self._encode)

    @property
    def config(self) -> Sam1Config | Sam2Config:
        """The network's numbers."""
        return self.network.config

    def encode(self, pixels: Tensor) -> ImageFeatures:
        """Encode still images: normalised RGB (B, 3, S, S)."""
        return self._encode(pixels)

    def decode(
        self, features: ImageFeatures, points: Tensor, labels: Tensor, mask_logits: Tensor | None
    ) -> DecoderOutput:
        """Answer B prompts; see ``Sam2.decode``."""
        decoder = self._copy.mask_decoder
        prompt = self._copy.encode_prompt(points, labels, mask_logits)
        tokens = decoder.with_output_tokens(prompt.sparse)
        tokens, image = self._transformer(features.image + prompt.dense.flatten(2).mT, tokens)
        masks = self._upscaling(image, features.high_resolution, decoder.kernels(tokens))
        return decoder.answer(tokens, to_map(masks.mT, 2))


def _encoder(network: ImageSam2 | Sam1) -> Encode:
    """The encoder that gives cells: Hiera's by another way on a processor, others' maps laid out anew."""
    if isinstance(network, ImageSam2) and isinstance(network.image_encoder, ImageEncoder):
        offset = network.no_mem_embed.flatten()
        if not offset.is_cuda:
            return FastHiera(network.image_encoder, network.mask_decoder, offset, network.image_side)
    return lambda pixels: _as_cells(network.encode(pixels))


def _as_cells(features: ImageFeatures) -> ImageFeatures:
    image, fine = features
    s4, s8 = (to_cells(x, levels) if x.shape[1] else x.flatten(2).mT for x, levels in zip(fine, (2, 1), strict=True))
    return ImageFeatures(to_cells(image, 0), HighResolution(s4=s4, s8=s8))
