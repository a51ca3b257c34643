"""Nano, the small network in the box: SAM 2's mask decoder on a plain convolutional trunk, with richer prompts.

Two things differ from SAM's prompt encoder, because they let a small network learn within hours: clicks, box and
earlier mask also enter as maps at stride 4, 8 and 16, and a click's token carries the image features under the click.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from clickmask.decoder.modeling.config import NanoConfig
from clickmask.decoder.modeling.lite import LiteTrunk
from clickmask.decoder.modeling.mask_decoder import DecoderOutput, HighResolution, ImageFeatures, MaskDecoder
from clickmask.decoder.modeling.neck import Pyramid
from clickmask.decoder.modeling.position import FourierPosition
from clickmask.decoder.modeling.prompt_encoder import (
    BOTTOM_RIGHT,
    NEGATIVE,
    PADDING,
    POSITIVE,
    TOP_LEFT,
    end_with_padding,
)
from clickmask.decoder.modeling.transformer import Attention

DISC_SIGMA = 1.3  # of the disc that marks a click [cells of the stride-4 grid]
LOGIT_LIMIT = 12.0  # earlier logits are clamped to this
RING = 5  # side of the square that what lies around a mask is taken from [cells of the stride-16 grid]
LOGIT_SCALE = 4.0  # and divided by this


class ConvNorm(nn.Sequential):
    """A convolution and its batch norm: (B, C, H, W) -> (B, C', H / stride, W / stride)."""

    def __init__(self, channels: int, width: int, *, stride: int = 1) -> None:
        super().__init__(nn.Conv2d(channels, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width))


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions around a skip."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = ConvNorm(width, width)
        self.second = ConvNorm(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) to the same shape."""
        return F.relu(x + self.second(F.relu(self.first(x))))


class GlobalContext(nn.Module):
    """Self-attention over the whole coarsest map, then an MLP: every place learns what else is in the picture."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attention = Attention(width, width, heads=4)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 2 * width), nn.ReLU(), nn.Linear(2 * width, width))

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) to the same shape."""
        tokens = x.flatten(2).transpose(1, 2)  # (B, H*W, C)
        q = self.norm1(tokens)
        tokens = tokens + self.attention(q, q, q)
        tokens = tokens + self.mlp(self.norm2(tokens))
        return tokens.transpose(1, 2).reshape(x.shape)  # type: ignore[no-any-return]


class NanoTrunk(nn.Module):
    """Two trunks, one pyramid: dense stages that know edges, and a lite trunk that has seen what is in the world."""

    def __init__(self, config: NanoConfig) -> None:
        super().__init__()
        widths, decoder = config.widths, config.decoder
        self.stem = ConvNorm(3, config.stem, stride=2)
        incoming = (config.stem, *widths[:-1])
        self.downs = nn.ModuleList(ConvNorm(a, b, stride=2) for a, b in zip(incoming, widths, strict=True))
        self.stages = nn.ModuleList(
            nn.Sequential(*(ResidualBlock(width) for _ in range(depth)))
            for width, depth in zip(widths, config.depths, strict=True)
        )
        self.lite = LiteTrunk(config.lite)
        lite = self.lite.widths
        self.to_context = nn.Conv2d(lite.s32, config.context, 1)
        self.context = GlobalContext(config.context)
        outgoing = (decoder.s4_channels, decoder.s8_channels, decoder.width)
        self.laterals = nn.ModuleList(nn.Conv2d(a, b, 1) for a, b in zip(widths, outgoing, strict=True))
        self.lite_s8 = _silent(nn.Conv2d(lite.s8, decoder.s8_channels, 1))
        self.lite_s16 = nn.Sequential(
            nn.Conv2d(lite.s16, config.lite_lateral, 1),
            nn.ReLU(),
            _silent(nn.Conv2d(config.lite_lateral, decoder.width, 1)),
        )
        above = (decoder.s8_channels, decoder.width, config.context)
        self.descents = nn.ModuleList(nn.Conv2d(a, b, 1) for a, b in zip(above, outgoing, strict=True))
        self.merge = FusionBlock(decoder.width)

    def forward(self, pixels: Tensor) -> Pyramid:
        """(B, 3, S, S) normalised RGB -> maps at stride 4, 8 and 16."""
        x = F.relu(self.stem(pixels))
        maps = []
        for down, stage in zip(self.downs, self.stages, strict=True):
            x = stage(F.relu(down(x)))
            maps.append(x)
        own_s4, own_s8, own_s16 = (lateral(x) for lateral, x in zip(self.laterals, maps, strict=True))
        lite = self.lite(pixels)
        to_s4, to_s8, to_s16 = self.descents
        s16 = own_s16 + self.lite_s16(lite.s16) + _double(to_s16(self.context(self.to_context(lite.s32))))
        s16 = self.merge(s16)
        s8 = own_s8 + self.lite_s8(lite.s8) + _double(to_s8(s16))
        return Pyramid(s16=s16, s8=s8, s4=own_s4 + _double(to_s4(s8)))


def _double(x: Tensor) -> Tensor:
    """(B, C, H, W) -> (B, C, 2H, 2W), every cell four times."""
    return F.interpolate(x, scale_factor=2.0, mode="nearest")


def _silent(layer: nn.Conv2d) -> nn.Conv2d:
    """The layer with weights of zero: it adds nothing until it has learnt to."""
    nn.init.zeros_(layer.weight)
    assert layer.bias is not None
    nn.init.zeros_(layer.bias)
    return layer


class PromptMaps(nn.Module):
    """Draw clicks, box and earlier mask on the stride-4 grid and bring them to the decoder's three strides."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.to_s4 = nn.Conv2d(4, width // 8, 3, padding=1)
        self.to_s8 = nn.Conv2d(width // 8, width // 4, 3, stride=2, padding=1)
        self.to_s16 = nn.Conv2d(width // 4, width, 3, stride=2, padding=1)

    def forward(self, points: Tensor, labels: Tensor, mask_logits: Tensor | None, side: int) -> tuple[Tensor, ...]:
        """Give (B, C / 8, side, side), (B, C / 4, side / 2, side / 2) and (B, C, side / 4, side / 4)."""
        drawn = draw_prompt(points, labels, mask_logits, side)
        if drawn.is_cpu:
            drawn = drawn.contiguous(memory_format=torch.channels_last)
        s4 = self.to_s4(drawn)
        s8 = self.to_s8(F.relu(s4))
        return s4, s8, self.to_s16(F.relu(s8))


class Likeness(nn.Module):
    """How much every place looks like what was clicked: told to the decoder instead of left to be found."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.embed = nn.Conv2d(width // 4, width // 4, 1)
        self.to_s8 = nn.Conv2d(2, width // 4, 3, padding=1)
        self.to_s16 = nn.Conv2d(2, width, 3, stride=2, padding=1)
        self.slope = nn.Parameter(torch.tensor(5.0))  # from cosine to the logit of "same object", for training only
        self.offset = nn.Parameter(torch.tensor(-2.5))
        nn.init.zeros_(self.to_s8.weight)
        nn.init.zeros_(self.to_s16.weight)

    def forward(self, s8: Tensor, points: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Give (B, C / 4, 2h, 2w) and (B, C, h, w) to add to the maps of those strides."""
        likeness = 0.5 + 0.5 * self.cosines(s8, points)  # (B, N, 2h, 2w)
        kinds = [likeness * (labels == kind)[..., None, None] for kind in (POSITIVE, NEGATIVE)]
        drawn = torch.stack([kind.amax(dim=1) for kind in kinds], dim=1)
        return self.to_s8(drawn), self.to_s16(drawn)

    def cosines(self, s8: Tensor, points: Tensor) -> Tensor:
        """Cosine between the embedding at points (B, N, 2) and everywhere else: (B, N, 2h, 2w)."""
        embedded = F.normalize(self.embed(s8), dim=1)
        clicked = F.normalize(_sample(embedded, points), dim=-1)  # (B, N, C / 4)
        return torch.einsum("bnc,bchw->bnhw", clicked, embedded.expand(len(points), -1, -1, -1))

    def same_object_logits(self, s8: Tensor, points: Tensor) -> Tensor:
        """Logits that a place belongs to the object under each point, from its looks alone: (B, N, 2h, 2w)."""
        return self.slope * self.cosines(s8, points) + self.offset


class Fusion(nn.Module):
    """Look at image and drawn prompt together, before the decoder does: which neighbours look like what was clicked."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.s8 = FusionBlock(width // 4)
        self.s16 = FusionBlock(width)
        self.down = nn.Conv2d(width // 4, width, 3, stride=2, padding=1)
        nn.init.zeros_(self.down.weight)

    def forward(self, s8: Tensor, s16: Tensor) -> tuple[Tensor, Tensor]:
        """Map (B, C / 4, 2h, 2w) and (B, C, h, w), image plus prompt, to the same shapes."""
        s8 = self.s8(s8)
        return s8, self.s16(s16 + self.down(F.relu(s8)))


class FusionBlock(nn.Module):
    """Two 3x3 convolutions beside a skip; does nothing until it has learnt to."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = ConvNorm(width, width)
        self.second = ConvNorm(width, width)
        nn.init.zeros_(self.second.get_submodule("1").get_parameter("weight"))

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) to the same shape."""
        return x + self.second(F.relu(self.first(F.relu(x))))  # type: ignore[no-any-return]


class Judge(nn.Module):
    """Rates every mask by what it covers: what is inside, how much alike that is, and what lies around it.

    A decoder's own rating knows the click but not the mask that came of it. The difference is added to that rating;
    nothing of it flows back, so a rating never changes a mask.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(4 * width + 3, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 1)
        )
        last = self.layers.get_submodule("4")
        nn.init.zeros_(last.get_parameter("weight"))
        nn.init.zeros_(last.get_parameter("bias"))

    def forward(self, output: DecoderOutput, image: Tensor) -> Tensor:
        """Predicted IoU of four masks on the embedding (B or 1, C, h, w): (B, 4)."""
        looks = F.layer_norm(image.detach().flatten(2).transpose(1, 2), image.shape[1:2])  # (B or 1, h*w, C)
        inside = F.avg_pool2d(output.logits.detach().sigmoid(), output.logits.shape[-1] // image.shape[-1])
        around = F.max_pool2d(inside, RING, 1, RING // 2) - inside
        area, sureness = inside.mean(dim=(2, 3)), (2 * inside - 1).abs().mean(dim=(2, 3))
        rated = output.predicted_iou.clamp(1e-4, 1 - 1e-4).logit()
        within, beside = (_shares(x) for x in (inside, around))
        mean = within @ looks
        seen = torch.cat(
            [output.tokens.detach(), mean, (within @ looks.square() - mean.square()), beside @ looks], dim=-1
        )
        numbers = torch.stack([area, sureness, rated.detach()], dim=-1)
        return (rated + self.layers(torch.cat([seen, numbers], dim=-1))[..., 0]).sigmoid()  # type: ignore[no-any-return]


def _shares(weights: Tensor) -> Tensor:
    """Weights (B, M, h, w) >= 0 so that those of a map sum to one, (B, M, h*w); zeros where there is nothing."""
    flat = weights.flatten(2)
    return flat / flat.sum(dim=-1, keepdim=True).clamp(min=1e-3)


def draw_prompt(points: Tensor, labels: Tensor, mask_logits: Tensor | None, side: int) -> Tensor:
    """Draw prompts as maps.

    Args:
        points: (B, N, 2), each (x, y) in [0, 1].
        labels: (B, N) of 1 positive, 0 negative, 2 and 3 box corners, -1 padding.
        mask_logits: (B, 1, side, side) or None.
        side: Of the grid [cells].

    Returns:
        (B, 4, side, side): scaled logits (0 where none were given), discs of positive clicks, of negative clicks,
        and 1 inside the box.
    """
    centres = (torch.arange(side, device=points.device) + 0.5) / side
    near_x = torch.exp(-0.5 * ((centres - points[..., 0:1]) * (side / DISC_SIGMA)) ** 2)  # (B, N, side)
    near_y = torch.exp(-0.5 * ((centres - points[..., 1:2]) * (side / DISC_SIGMA)) ** 2)
    positive, negative = (
        torch.einsum("bny,bnx->byx", near_y * (labels == label)[..., None], near_x).clamp(max=1.0)
        for label in (POSITIVE, NEGATIVE)
    )
    if mask_logits is None:
        earlier = torch.zeros_like(positive)
    else:
        earlier = mask_logits[:, 0].clamp(-LOGIT_LIMIT, LOGIT_LIMIT) / LOGIT_SCALE
    return torch.stack([earlier, positive, negative, _inside_box(points, labels, centres)], dim=1)


def _inside_box(points: Tensor, labels: Tensor, centres: Tensor) -> Tensor:
    """1 where a cell's centre lies in the box, (B, side, side); 0 everywhere without a box."""
    is_low, is_high = (labels == TOP_LEFT)[..., None], (labels == BOTTOM_RIGHT)[..., None]
    low = torch.where(is_low, points, torch.inf).amin(dim=1)  # (B, 2)
    high = torch.where(is_high, points, -torch.inf).amax(dim=1)
    inside = (centres[:, None] >= low[:, None]) & (centres[:, None] <= high[:, None])  # (B, side, 2)
    return (inside[:, None, :, 0] & inside[:, :, None, 1]).to(points.dtype)


class ClickTokens(nn.Module):
    """Clicks and box corners as tokens: position, kind, and what the image shows there."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.pe_layer = FourierPosition(width)
        self.kinds = nn.Embedding(5, width)  # row label + 1
        self.appearance = nn.Linear(width + width // 4 + width // 8, width)

    def forward(self, features: ImageFeatures, points: Tensor, labels: Tensor) -> Tensor:
        """(B, N, 2) points and (B, N) labels -> (B, N, C)."""
        fine = features.high_resolution
        seen = torch.cat([_sample(x, points) for x in (features.image, fine.s8, fine.s4)], dim=-1)
        appearance = self.appearance(seen)
        appearance = F.layer_norm(appearance, appearance.shape[-1:])  # or it would drown position and kind
        tokens = self.pe_layer(points) + appearance
        return tokens * (labels != PADDING)[..., None] + self.kinds(labels.long() + 1)  # type: ignore[no-any-return]


def _sample(x: Tensor, points: Tensor) -> Tensor:
    """Read a map (B, C, H, W) or (1, C, H, W) at points (B, N, 2): (B, N, C)."""
    if len(x) != len(points):
        x = x.expand(len(points), -1, -1, -1)
    grid = (2 * points - 1)[:, :, None].to(x.dtype)  # (B, N, 1, 2)
    return F.grid_sample(x, grid, padding_mode="border", align_corners=False)[..., 0].transpose(1, 2)


class Nano(nn.Module):
    """The network; two steps, ``encode`` an image and ``decode`` prompts on it."""

    def __init__(self, config: NanoConfig) -> None:
        super().__init__()
        self.config = config
        self.trunk = NanoTrunk(config)
        self.click_tokens = ClickTokens(config.decoder.width)
        self.prompt_maps = PromptMaps(config.decoder.width)
        self.likeness = Likeness(config.decoder.width)
        self.fusion = Fusion(config.decoder.width)
        self.mask_decoder = MaskDecoder(config.decoder)
        self.judge = Judge(config.decoder.width)

    @property
    def image_side(self) -> int:
        """Side of the square the network sees [px]."""
        return self.config.image_side

    def encode(self, pixels: Tensor) -> ImageFeatures:
        """Encode still images: normalised RGB (B, 3, S, S)."""
        pyramid = self.trunk(pixels)
        return ImageFeatures(pyramid.s16, self.mask_decoder.project(pyramid.s4, pyramid.s8))

    def decode(
        self, features: ImageFeatures, points: Tensor, labels: Tensor, mask_logits: Tensor | None
    ) -> DecoderOutput:
        """Answer B prompts.

        Args:
            features: Of B images, or of one image that all prompts are on.
            points: (B, N, 2), each (x, y) in [0, 1] of the image.
            labels: (B, N) of 1 positive, 0 negative, 2 and 3 box corners, -1 padding.
            mask_logits: (B, 1, S / 4, S / 4) or None.
        """
        if points.shape[1] == 0:  # a mask alone
            points, labels = end_with_padding(points, labels)
        fine = features.high_resolution
        tokens = self.click_tokens(features, points, labels)
        s4, s8, s16 = self.prompt_maps(points, labels, mask_logits, fine.s4.shape[-1])
        like_s8, like_s16 = self.likeness(fine.s8, points, labels)
        s8, s16 = self.fusion(fine.s8 + s8 + like_s8, features.image + s16 + like_s16)
        image_pe = self.click_tokens.pe_layer.grid(*features.image.shape[-2:])
        nothing_more = s16.new_zeros(1, 1, 1, 1)  # the dense prompt is in already
        output: DecoderOutput = self.mask_decoder(
            s16, image_pe, tokens, nothing_more, HighResolution(s4=fine.s4 + s4, s8=s8)
        )
        return output._replace(predicted_iou=self.judge(output, features.image))
