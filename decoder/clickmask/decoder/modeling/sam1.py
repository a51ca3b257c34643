"""SAM 1, whole: image encoder, prompt encoder and mask decoder.

Source: "Segment Anything" (Kirillov et al., 2023). Against SAM 2's decoder it has no object score and no fine maps,
and its predicted IoU is not squashed into [0, 1].
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from clickmask.decoder.modeling.config import DecoderConfig, Sam1Config
from clickmask.decoder.modeling.keys import TRANSFORMERS_HEADS, Layout
from clickmask.decoder.modeling.layers import Mlp
from clickmask.decoder.modeling.mask_decoder import (
    MASK_TOKENS,
    DecoderOutput,
    HighResolution,
    ImageFeatures,
    mask_kernels,
    upscaling,
)
from clickmask.decoder.modeling.prompt_encoder import TOP_LEFT, EncodedPrompt, PromptEncoder, end_with_padding
from clickmask.decoder.modeling.transformer import TwoWayTransformer

MLP_NAMES = ((r"\.mlp\.lin1\.", ".mlp.layers.0."), (r"\.mlp\.lin2\.", ".mlp.layers.1."))
ALWAYS_THERE = 10.0  # the object score of a family that knows no absence, as a logit

LAYOUTS = (
    Layout(
        "official",
        marks=(r"^image_encoder\.neck\.0\.weight$", r"^mask_decoder\.iou_token\.weight$"),
        renames=MLP_NAMES,
        ignored=(r"^image_encoder\.(norm_head|head)\.",),  # of TinyViT's first training, for classes
    ),
    Layout(
        "transformers",
        marks=(r"^vision_encoder\.layers\.", r"^mask_decoder\.iou_token\.weight$"),
        renames=(
            (r"^vision_encoder\.layers\.", "image_encoder.blocks."),
            (r"^vision_encoder\.neck\.conv1", "image_encoder.neck.0"),
            (r"^vision_encoder\.neck\.layer_norm1", "image_encoder.neck.1"),
            (r"^vision_encoder\.neck\.conv2", "image_encoder.neck.2"),
            (r"^vision_encoder\.neck\.layer_norm2", "image_encoder.neck.3"),
            (r"patch_embed\.projection", "patch_embed.proj"),
            (r"^vision_encoder\.", "image_encoder."),
            *MLP_NAMES,
            *TRANSFORMERS_HEADS,
        ),
    ),
)


class PlainMaskDecoder(nn.Module):
    """Decode prompts on an image embedding into masks, by the embedding alone."""

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        width = config.width
        self.transformer = TwoWayTransformer(config)
        self.iou_token = nn.Embedding(1, width)
        self.mask_tokens = nn.Embedding(MASK_TOKENS, width)
        self.output_upscaling = upscaling(width)
        self.output_hypernetworks_mlps = nn.ModuleList(
            Mlp((width, width, width, width // 8)) for _ in range(MASK_TOKENS)
        )
        self.iou_prediction_head = Mlp((width, width, width, MASK_TOKENS))

    def forward(self, image: Tensor, image_pe: Tensor, sparse: Tensor, dense: Tensor) -> DecoderOutput:
        """Decode B prompts; see ``MaskDecoder``."""
        tokens = self.with_output_tokens(sparse)  # (B, 5 + N, C)
        source = (image + dense).expand(len(sparse), -1, -1, -1)
        tokens, source = self.transformer(source, image_pe, tokens)
        upscaled = self.output_upscaling(source)
        return self.answer(tokens, torch.einsum("bmc,bchw->bmhw", self.kernels(tokens), upscaled))

    def with_output_tokens(self, sparse: Tensor) -> Tensor:
        """Put the IoU and mask tokens before the prompt's: (B, N, C) -> (B, 5 + N, C)."""
        output = torch.cat([self.iou_token.weight, self.mask_tokens.weight])
        return torch.cat([output.expand(len(sparse), -1, -1), sparse], dim=1)

    def kernels(self, tokens: Tensor) -> Tensor:
        """What each mask token compares pixels with, of all tokens: (B, 5 + N, C) -> (B, 4, C / 8)."""
        return mask_kernels(self.output_hypernetworks_mlps, tokens[:, 1 : 1 + MASK_TOKENS])

    def answer(self, tokens: Tensor, logits: Tensor) -> DecoderOutput:
        """What all tokens (B, 5 + N, C) say beside their masks (B, 4, 4h, 4w)."""
        return DecoderOutput(
            logits=logits,
            predicted_iou=self.iou_prediction_head(tokens[:, 0]),
            object_score=tokens.new_full((len(tokens), 1), ALWAYS_THERE),
            tokens=tokens[:, 1 : 1 + MASK_TOKENS],
        )


class Sam1(nn.Module):
    """The network; two steps, ``encode`` an image and ``decode`` prompts on it."""

    def __init__(self, config: Sam1Config) -> None:
        super().__init__()
        self.config = config
        self.image_encoder = config.trunk.build(config.decoder.width)
        self.prompt_encoder = PromptEncoder(config.decoder.width)
        self.mask_decoder = PlainMaskDecoder(config.decoder)

    def encode(self, pixels: Tensor) -> ImageFeatures:
        """Encode still images: normalised RGB (B, 3, S, S), empty where the picture does not reach."""
        image = self.image_encoder(pixels)
        nothing = image.new_zeros(len(image), 0, 1, 1)
        return ImageFeatures(image, HighResolution(nothing, nothing))

    def decode(
        self, features: ImageFeatures, points: Tensor, labels: Tensor, mask_logits: Tensor | None
    ) -> DecoderOutput:
        """Answer B prompts, all with a box or none; see ``Sam2.decode``. With a box comes no padding token."""
        height, width = features.image.shape[-2:]
        prompt = self.encode_prompt(points, labels, mask_logits)
        image_pe = self.prompt_encoder.pe_layer.grid(height, width)
        return self.mask_decoder(features.image, image_pe, prompt.sparse, prompt.dense)  # type: ignore[no-any-return]

    def encode_prompt(self, points: Tensor, labels: Tensor, mask_logits: Tensor | None) -> EncodedPrompt:
        """What the mask decoder sees of B prompts; see ``decode``."""
        points = points + 0.5 / self.config.geometry.side  # a click is a pixel of the square and means its centre
        if points.shape[1] > 0 and not bool((labels == TOP_LEFT).any()):
            points, labels = end_with_padding(points, labels)
        return self.prompt_encoder(points, labels, mask_logits)  # type: ignore[no-any-return]
