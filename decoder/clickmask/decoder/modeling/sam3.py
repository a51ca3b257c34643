"""SAM 3's image encoder: a plain vision transformer with rotated positions, and the neck of its tracker.

Its prompt encoder, mask decoder and memory are SAM 2's under other names; its detector, which finds what a text
names, is not here.

Source: "SAM 3: Segment Anything with Concepts" (Carion et al., 2025); rotations from "RoFormer" (Su et al., 2021).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from clickmask.decoder.modeling.config import RotaryVitConfig
from clickmask.decoder.modeling.keys import TRANSFORMERS_HEADS, Layout
from clickmask.decoder.modeling.layers import Mlp, attend_in_windows
from clickmask.decoder.modeling.memory_attention import rotary_grid, rotate
from clickmask.decoder.modeling.neck import Pyramid
from clickmask.decoder.modeling.sam2 import OFFICIAL_HEADS, TRANSFORMERS_MEMORY
from clickmask.decoder.modeling.vit import PatchEmbed

_TRUNK = r"^detector\.backbone\.vision_backbone\.trunk\."
_OFFICIAL_ENCODER = (
    (_TRUNK, "image_encoder.trunk."),
    (r"^detector\.backbone\.vision_backbone\.(?:sam2|interactive)_convs\.", "image_encoder.neck.levels."),
    (r"\.mlp\.fc1\.", ".mlp.layers.0."),
    (r"\.mlp\.fc2\.", ".mlp.layers.1."),
    (r"\.mlp\.lin1\.", ".mlp.layers.0."),
    (r"\.mlp\.lin2\.", ".mlp.layers.1."),
    (r"\.dconv_2x2(?:_0)?\.", ".up.0."),
    (r"\.dconv_2x2_1\.", ".up.2."),
    (r"\.conv_1x1\.", ".proj1."),
    (r"\.conv_3x3\.", ".proj2."),
)
LAYOUTS = (
    Layout(
        "official",
        marks=(_TRUNK, r"^tracker\.sam_mask_decoder\."),
        renames=(
            *_OFFICIAL_ENCODER,
            (r"^tracker\.transformer\.encoder\.", "memory_attention."),
            (r"^tracker\.maskmem_backbone\.", "memory_encoder."),
            (r"^tracker\.", ""),
            *OFFICIAL_HEADS,
        ),
        # The detector, its own neck, the neck's coarsest level, and rotations, which follow from the sizes.
        ignored=(r"^detector\.(?!backbone\.vision_backbone\.(trunk|sam2_convs\.[012])\.)", r"\.freqs_cis$"),
        headed=(_TRUNK + r"pos_embed$",),
    ),
    Layout(
        "official 3.1, for still images",
        marks=(_TRUNK, r"^tracker\.model\.interactive_sam_mask_decoder\."),
        renames=(
            *_OFFICIAL_ENCODER,
            (r"^tracker\.model\.interactive_sam_", ""),
            (r"^tracker\.model\.interactivity_no_mem_embed$", "no_mem_embed"),
        ),
        # Beside those above: the tracker of 3.1, which follows many objects in one pass and is another network.
        ignored=(
            r"^detector\.(?!backbone\.vision_backbone\.(trunk|interactive_convs\.[012])\.)",
            r"\.freqs_cis$",
            r"^tracker\.model\.(?!interactive_sam_|interactivity_no_mem_embed$)",
        ),
        headed=(_TRUNK + r"pos_embed$",),
    ),
    Layout(
        "transformers",
        marks=(
            r"^(detector_model\.)?vision_encoder\.backbone\.layers\.",
            r"^(tracker_model\.)?mask_decoder\.obj_score_token\.",
        ),
        renames=(
            (r"^tracker_model\.", ""),
            (r"^detector_model\.", ""),
            (r"^(?:tracker_neck|vision_encoder\.neck)\.fpn_layers\.", "image_encoder.neck.levels."),
            (r"\.scale_layers\.", ".up."),
            (r"^vision_encoder\.backbone\.embeddings\.position_embeddings$", "image_encoder.trunk.pos_embed"),
            (r"^vision_encoder\.backbone\.embeddings\.patch_embeddings\.projection",
             "image_encoder.trunk.patch_embed.proj"),
            (r"^vision_encoder\.backbone\.layer_norm", "image_encoder.trunk.ln_pre"),
            (r"^vision_encoder\.backbone\.layers\.", "image_encoder.trunk.blocks."),
            (r"\.attention\.q_proj\.(\w+)$", r".attn.qkv.\1#0"),
            (r"\.attention\.k_proj\.(\w+)$", r".attn.qkv.\1#1"),
            (r"\.attention\.v_proj\.(\w+)$", r".attn.qkv.\1#2"),
            (r"\.attention\.o_proj\.", ".attn.proj."),
            (r"\.mlp\.fc1\.", ".mlp.layers.0."),
            (r"\.mlp\.fc2\.", ".mlp.layers.1."),
            *TRANSFORMERS_MEMORY,
            *TRANSFORMERS_HEADS,
        ),
        ignored=(r"^detector_model\.(?!vision_encoder\.backbone\.)", r"fpn_layers\.3\."),
    ),
)  # fmt: skip


class RotaryAttention(nn.Module):
    """Multi-head self-attention whose queries and keys are rotated by their place in the map."""

    def __init__(self, width: int, heads: int, window: int) -> None:
        super().__init__()
        self.heads, self.window = heads, window
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """(N, h, w, C) -> (N, h, w, C)."""
        n, h, w, _ = x.shape
        qkv = self.qkv(x).view(n, h * w, 3, self.heads, -1)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)  # (N, heads, h * w, c)
        # A whole map has the rotations of one window, more finely spaced.
        rotation = rotary_grid(q.shape[-1], h, w, x.device, scale=self.window / w)
        q, k = (rotate(part.flatten(0, 1), rotation).view(part.shape) for part in (q, k))
        mixed = F.scaled_dot_product_attention(q, k, v)
        return self.proj(mixed.transpose(1, 2).reshape(n, h, w, -1))  # type: ignore[no-any-return]


class RotaryBlock(nn.Module):
    """A transformer block over windows of the map (or the whole map when ``window`` is 0)."""

    def __init__(self, config: RotaryVitConfig, window: int) -> None:
        super().__init__()
        self.window = window
        self.norm1 = nn.LayerNorm(config.width, eps=1e-6)
        self.attn = RotaryAttention(config.width, config.heads, config.window)
        self.norm2 = nn.LayerNorm(config.width, eps=1e-6)
        self.mlp = Mlp((config.width, config.mlp_width, config.width), nn.GELU)

    def forward(self, x: Tensor) -> Tensor:
        """(B, H, W, C) -> (B, H, W, C)."""
        x = x + self._attend(self.norm1(x))
        return x + self.mlp(self.norm2(x))  # type: ignore[no-any-return]

    def _attend(self, x: Tensor) -> Tensor:
        if self.window == 0:
            return self.attn(x)  # type: ignore[no-any-return]
        return attend_in_windows(self.attn, x, self.window)[:, : x.shape[1], : x.shape[2]]


class RotaryVit(nn.Module):
    """The trunk: one map at the stride of a patch."""

    def __init__(self, config: RotaryVitConfig) -> None:
        super().__init__()
        self.patch_embed = PatchEmbed(config.width, config.patch, bias=False)
        self.pos_embed = nn.Parameter(torch.zeros(1, config.table**2, config.width))
        self.ln_pre = nn.LayerNorm(config.width, eps=1e-6)
        windows = [0 if index in config.global_blocks else config.window for index in range(config.depth)]
        self.blocks = nn.ModuleList(RotaryBlock(config, window) for window in windows)
        self.table = config.table

    def forward(self, pixels: Tensor) -> Tensor:
        """Normalised RGB (B, 3, S, S) -> (B, C, S / patch, S / patch)."""
        x = self.patch_embed(pixels)
        x = self.ln_pre(x + self._positions(x.shape[1], x.shape[2]))
        for block in self.blocks:
            x = block(x)
        return x.permute(0, 3, 1, 2)  # type: ignore[no-any-return]

    def _positions(self, height: int, width: int) -> Tensor:
        """The table, repeated over the map: (1, H, W, C)."""
        table = self.pos_embed.view(1, self.table, self.table, -1)
        repeated = table.tile(1, -(-height // self.table), -(-width // self.table), 1)
        return repeated[:, :height, :width]


class Level(nn.Module):
    """The trunk's map, made finer by transposed convolutions, at the neck's width."""

    def __init__(self, width: int, out_width: int, doublings: int) -> None:
        super().__init__()
        steps: list[nn.Module] = []
        for doubling in range(doublings):
            steps += [nn.GELU()] if doubling else []
            steps += [nn.ConvTranspose2d(width, width // 2, 2, stride=2)]
            width //= 2
        self.up = nn.Sequential(*steps)
        self.proj1 = nn.Conv2d(width, out_width, 1)
        self.proj2 = nn.Conv2d(out_width, out_width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) -> (B, C', h * 2^doublings, w * 2^doublings)."""
        return self.proj2(self.proj1(self.up(x)))  # type: ignore[no-any-return]


class Neck(nn.Module):
    """Three levels of the trunk's one map."""

    def __init__(self, width: int, out_width: int) -> None:
        super().__init__()
        self.levels = nn.ModuleList(Level(width, out_width, doublings) for doublings in (2, 1, 0))

    def forward(self, x: Tensor) -> Pyramid:
        """(B, C, h, w) -> maps four and two times as fine, and as it is."""
        fine, middle, coarse = (level(x) for level in self.levels)
        return Pyramid(s4=fine, s8=middle, s16=coarse)


class ImageEncoder(nn.Module):
    """Pixels to pyramid; its strides are 3.5, 7 and 14."""

    def __init__(self, config: RotaryVitConfig, width: int) -> None:
        super().__init__()
        self.trunk = RotaryVit(config)
        self.neck = Neck(config.width, width)

    def forward(self, pixels: Tensor) -> Pyramid:
        """(B, 3, S, S) normalised RGB -> the maps the decoder uses."""
        return self.neck(self.trunk(pixels))  # type: ignore[no-any-return]
