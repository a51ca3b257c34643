"""SAM 2, whole: image encoder, prompt encoder, mask decoder, and the memory of past frames.

Source: "SAM 2: Segment Anything in Images and Videos" (Ravi et al., 2024).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from clickmask.decoder.modeling.config import Sam2Config
from clickmask.decoder.modeling.layers import Mlp
from clickmask.decoder.modeling.mask_decoder import DecoderOutput, ImageFeatures, MaskDecoder
from clickmask.decoder.modeling.memory_attention import MemoryAttention
from clickmask.decoder.modeling.memory_encoder import MemoryEncoder
from clickmask.decoder.modeling.prompt_encoder import PromptEncoder, end_with_padding


class Sam2(nn.Module):
    """The network; two steps, ``encode`` an image and ``decode`` prompts on it."""

    def __init__(self, config: Sam2Config) -> None:
        super().__init__()
        self.config = config
        width, memory = config.decoder.width, config.memory
        self.image_encoder = config.trunk.build(width)
        self.prompt_encoder = PromptEncoder(width)
        self.mask_decoder = MaskDecoder(config.decoder)
        self.memory_attention = MemoryAttention(width, memory)
        self.memory_encoder = MemoryEncoder(width, memory.width)
        self.maskmem_tpos_enc = nn.Parameter(torch.zeros(memory.frames, 1, 1, memory.width))
        self.no_mem_embed = nn.Parameter(torch.zeros(1, 1, width))
        self.no_mem_pos_enc = nn.Parameter(torch.zeros(1, 1, width))
        self.mask_downsample = nn.Conv2d(1, 1, 4, stride=4)
        self.obj_ptr_proj = Mlp((width, width, width, width))
        self.no_obj_ptr = nn.Parameter(torch.zeros(1, width))
        if config.version == "2.1":
            self.no_obj_embed_spatial = nn.Parameter(torch.zeros(1, memory.width))
            self.obj_ptr_tpos_proj = nn.Linear(width, memory.width)

    @property
    def image_side(self) -> int:
        """Side of the square the network sees [px]."""
        return self.config.geometry.side

    def encode_frame(self, pixels: Tensor) -> ImageFeatures:
        """Encode frames (B, 3, S, S) of a video, before any memory is mixed in."""
        pyramid = self.image_encoder(pixels)
        return ImageFeatures(pyramid.s16, self.mask_decoder.project(pyramid.s4, pyramid.s8))

    def encode(self, pixels: Tensor) -> ImageFeatures:
        """Encode still images: normalised RGB (B, 3, S, S)."""
        features = self.encode_frame(pixels)
        return features._replace(image=features.image + self.no_mem_embed.view(1, -1, 1, 1))

    def decode(
        self, features: ImageFeatures, points: Tensor, labels: Tensor, mask_logits: Tensor | None
    ) -> DecoderOutput:
        """Answer B prompts.

        Args:
            features: Of B images, or of one image that all prompts are on.
            points: (B, N, 2), each (x, y) in [0, 1] of the image.
            labels: (B, N), see ``prompt_encoder``.
            mask_logits: (B, 1, 4h, 4w) or None.
        """
        height, width = features.image.shape[-2:]
        # SAM takes a click as a pixel of the resized image and means its centre.
        points = points + 0.5 / self.image_side
        if points.shape[1] > 0:  # a mask alone brings no tokens
            points, labels = end_with_padding(points, labels)
        prompt = self.prompt_encoder(points, labels, mask_logits)
        image_pe = self.prompt_encoder.pe_layer.grid(height, width)
        return self.mask_decoder(  # type: ignore[no-any-return]
            features.image, image_pe, prompt.sparse, prompt.dense, features.high_resolution
        )
