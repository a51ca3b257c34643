"""The two-way transformer: prompt tokens and image look at each other, twice.

Source: "Segment Anything" (Kirillov et al., 2023), appendix A, and SAM 2 (Ravi et al., 2024).
"""

from __future__ import annotations

from torch import Tensor, nn

from clickmask.decoder.modeling.config import DecoderConfig
from clickmask.decoder.modeling.layers import Mlp


class Attention(nn.Module):
    """Multi-head attention whose inner width can be smaller than the outer one."""

    def __init__(self, width: int, inner_width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.q_proj = nn.Linear(width, inner_width)
        self.k_proj = nn.Linear(width, inner_width)
        self.v_proj = nn.Linear(width, inner_width)
        self.out_proj = nn.Linear(inner_width, width)

    def forward(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Attend from q (B, N, C) to k and v (B, M, C); give (B, N, C)."""
        q = self.split(self.q_proj(q))  # (B, heads, N, C / heads)
        k = self.split(self.k_proj(k))  # (B, heads, M, C / heads)
        v = self.split(self.v_proj(v))
        # Plain matmuls: with so few tokens the fused kernel is no faster, and its CPU backward is far slower.
        weights = (q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5).softmax(-1)  # (B, heads, N, M)
        mixed = (weights @ v).transpose(1, 2).flatten(2)  # (B, N, C)
        return self.out_proj(mixed)  # type: ignore[no-any-return]

    def split(self, x: Tensor) -> Tensor:
        """(B, N, heads * c) -> (B, heads, N, c)."""
        batch, length, _ = x.shape
        return x.reshape(batch, length, self.heads, -1).transpose(1, 2)


class TwoWayBlock(nn.Module):
    """Tokens attend to themselves, then to the image; then the image attends to the tokens."""

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        width, heads = config.width, config.heads
        self.self_attn = Attention(width, width, heads)
        self.norm1 = nn.LayerNorm(width)
        self.cross_attn_token_to_image = Attention(width, width // 2, heads)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = Mlp((width, config.mlp_width, width))
        self.norm3 = nn.LayerNorm(width)
        self.norm4 = nn.LayerNorm(width)
        self.cross_attn_image_to_token = Attention(width, width // 2, heads)

    def forward(self, tokens: Tensor, token_pe: Tensor, image: Tensor, image_pe: Tensor) -> tuple[Tensor, Tensor]:
        """Update tokens (B, N, C) and image (B, H*W, C); the encodings have the same shapes."""
        q = tokens + token_pe
        tokens = self.norm1(tokens + self.self_attn(q, q, tokens))
        return self.cross(tokens, token_pe, image, image_pe)

    def cross(self, tokens: Tensor, token_pe: Tensor, image: Tensor, image_pe: Tensor) -> tuple[Tensor, Tensor]:
        """Do all that follows the tokens' attention to themselves."""
        keys = image + image_pe
        tokens = self.norm2(tokens + self.cross_attn_token_to_image(tokens + token_pe, keys, image))
        tokens = self.norm3(tokens + self.mlp(tokens))
        image = self.norm4(image + self.cross_attn_image_to_token(keys, tokens + token_pe, tokens))
        return tokens, image


class FirstTwoWayBlock(TwoWayBlock):
    """The first block: the tokens are still their own encodings, so nothing is added to them."""

    def forward(self, tokens: Tensor, token_pe: Tensor, image: Tensor, image_pe: Tensor) -> tuple[Tensor, Tensor]:
        """Update tokens (B, N, C) and image (B, H*W, C)."""
        tokens = self.norm1(self.self_attn(tokens, tokens, tokens))
        return self.cross(tokens, token_pe, image, image_pe)


class TwoWayTransformer(nn.Module):
    """Two two-way blocks and a last look of the tokens at the image."""

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        self.layers = nn.ModuleList([FirstTwoWayBlock(config), TwoWayBlock(config)])
        self.final_attn_token_to_image = Attention(config.width, config.width // 2, config.heads)
        self.norm_final_attn = nn.LayerNorm(config.width)

    def forward(self, image: Tensor, image_pe: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Mix image and prompt.

        Args:
            image: Image embedding plus dense prompt, shape (B, C, h, w).
            image_pe: Its position encoding, shape (1, C, h, w).
            tokens: Output tokens and prompt tokens, shape (B, N, C).

        Returns:
            The tokens (B, N, C) and the image (B, C, h, w) after mixing.
        """
        keys = image.flatten(2).transpose(1, 2)  # (B, h*w, C)
        key_pe = image_pe.flatten(2).transpose(1, 2)  # (1, h*w, C)
        queries = tokens
        for layer in self.layers:
            queries, keys = layer(queries, tokens, keys, key_pe)
        attended = self.final_attn_token_to_image(queries + tokens, keys + key_pe, keys)
        queries = self.norm_final_attn(queries + attended)
        return queries, keys.transpose(1, 2).reshape(image.shape)
