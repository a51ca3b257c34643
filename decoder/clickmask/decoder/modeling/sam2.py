"""SAM 2, whole: image encoder, prompt encoder, mask decoder, and the memory of past frames.

Source: "SAM 2: Segment Anything in Images and Videos" (Ravi et al., 2024).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from clickmask.decoder.modeling.config import Sam2Config
from clickmask.decoder.modeling.keys import TRANSFORMERS_HEADS, Layout
from clickmask.decoder.modeling.layers import Mlp
from clickmask.decoder.modeling.mask_decoder import DecoderOutput, ImageFeatures, MaskDecoder
from clickmask.decoder.modeling.memory_attention import MemoryAttention
from clickmask.decoder.modeling.memory_encoder import MemoryEncoder
from clickmask.decoder.modeling.prompt_encoder import EncodedPrompt, PromptEncoder, end_with_padding

# What transformers calls the memory of past frames.
TRANSFORMERS_MEMORY = (
    (r"^no_memory_embedding$", "no_mem_embed"),
    (r"^memory_temporal_positional_encoding$", "maskmem_tpos_enc"),
    (r"^no_memory_positional_encoding$", "no_mem_pos_enc"),
    (r"^no_object_pointer$", "no_obj_ptr"),
    (r"^occlusion_spatial_embedding_parameter$", "no_obj_embed_spatial"),
    (r"^temporal_positional_encoding_projection_layer", "obj_ptr_tpos_proj"),
    (r"^object_pointer_proj\.layers\.0", "obj_ptr_proj.layers.1"),
    (r"^object_pointer_proj\.proj_in", "obj_ptr_proj.layers.0"),
    (r"^object_pointer_proj\.proj_out", "obj_ptr_proj.layers.2"),
    (r"^memory_attention\.layer_norm", "memory_attention.norm"),
    (r"^memory_encoder\.feature_projection", "memory_encoder.pix_feat_proj"),
    (r"^memory_encoder\.projection", "memory_encoder.out_proj"),
    (r"^memory_encoder\.memory_fuser", "memory_encoder.fuser"),
    (r"(fuser\.layers\.\d)\.scale$", r"\1.gamma"),
    (r"(fuser\.layers\.\d)\.layer_norm", r"\1.norm"),
    (r"depthwise_conv", "dwconv"),
    (r"pointwise_conv", "pwconv"),
    *((rf"mask_downsampler\.layers\.{i}\.conv", f"mask_downsampler.encoder.{3 * i}") for i in range(4)),
    *((rf"mask_downsampler\.layers\.{i}\.layer_norm", f"mask_downsampler.encoder.{3 * i + 1}") for i in range(4)),
    (r"mask_downsampler\.final_conv", "mask_downsampler.encoder.12"),
)
OFFICIAL_HEADS = ((r"^sam_prompt_encoder\.", "prompt_encoder."), (r"^sam_mask_decoder\.", "mask_decoder."))
LAYOUTS = (
    Layout("official", marks=(r"^image_encoder\.trunk\.", r"^sam_mask_decoder\."), renames=OFFICIAL_HEADS),
    Layout(
        "transformers",
        marks=(r"^vision_encoder\.backbone\.blocks\.", r"^mask_decoder\.obj_score_token\."),
        renames=(
            (r"^vision_encoder\.backbone\.", "image_encoder.trunk."),
            (r"^vision_encoder\.neck\.convs\.(\d)\.", r"image_encoder.neck.convs.\1.conv."),
            (r"patch_embed\.projection", "patch_embed.proj"),
            *TRANSFORMERS_MEMORY,
            *TRANSFORMERS_HEADS,
        ),
    ),
)


class ImageSam2(nn.Module):
    """The network for still images; two steps, ``encode`` an image and ``decode`` prompts on it."""

    def __init__(self, config: Sam2Config) -> None:
        super().__init__()
        self.config = config
        width = config.decoder.width
        self.image_encoder = config.trunk.build(width)
        self.prompt_encoder = PromptEncoder(width)
        self.mask_decoder = MaskDecoder(config.decoder)
        self.no_mem_embed = nn.Parameter(torch.zeros(1, 1, width))

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
        prompt = self.encode_prompt(points, labels, mask_logits)
        image_pe = self.prompt_encoder.pe_layer.grid(height, width)
        return self.mask_decoder(  # type: ignore[no-any-return]
            features.image, image_pe, prompt.sparse, prompt.dense, features.high_resolution
        )

    def encode_prompt(self, points: Tensor, labels: Tensor, mask_logits: Tensor | None) -> EncodedPrompt:
        """What the mask decoder sees of B prompts; see ``decode``."""
        # SAM takes a click as a pixel of the resized image and means its centre.
        points = points + 0.5 / self.image_side
        if points.shape[1] > 0:  # a mask alone brings no tokens
            points, labels = end_with_padding(points, labels)
        return self.prompt_encoder(points, labels, mask_logits)  # type: ignore[no-any-return]


class Sam2(ImageSam2):
    """The network with its memory of past frames."""

    def __init__(self, config: Sam2Config) -> None:
        super().__init__(config)
        if config.memory is None:
            raise ValueError("this SAM 2 has no memory of past frames, wanted its sizes")
        width, memory = config.decoder.width, config.memory
        self.memory = memory
        self.memory_attention = MemoryAttention(width, memory)
        self.memory_encoder = MemoryEncoder(width, memory.width)
        self.maskmem_tpos_enc = nn.Parameter(torch.zeros(memory.frames, 1, 1, memory.width))
        self.no_mem_pos_enc = nn.Parameter(torch.zeros(1, 1, width))
        self.mask_downsample = nn.Conv2d(1, 1, 4, stride=4)
        self.obj_ptr_proj = Mlp((width, width, width, width))
        self.no_obj_ptr = nn.Parameter(torch.zeros(1, width))
        if config.version == "2.1":
            self.no_obj_embed_spatial = nn.Parameter(torch.zeros(1, memory.width))
            self.obj_ptr_tpos_proj = nn.Linear(width, memory.width)
