"""A SAM 2 of transformers' that is small enough for tests: its image encoder."""

from __future__ import annotations

from typing import Any


def small_vision(side: int, width: int) -> Any:
    """The peer's configuration of an image encoder for pictures of a side [px], whose maps have a width."""
    from transformers.models.sam2.configuration_sam2 import Sam2HieraDetConfig, Sam2VisionConfig

    trunk = Sam2HieraDetConfig(
        hidden_size=16,
        image_size=[side, side],
        embed_dim_per_stage=[16, 32, 64, 128],
        num_attention_heads_per_stage=[1, 2, 4, 8],
        blocks_per_stage=[1, 1, 2, 1],
        global_attention_blocks=[3],
        window_positional_embedding_background_size=[3, 3],
        window_size_per_stage=[4, 2, 4, 2],
    )
    grid = side // 16
    return Sam2VisionConfig(
        backbone_config=trunk,
        backbone_channel_list=[128, 64, 32, 16],
        fpn_hidden_size=width,
        backbone_feature_sizes=[[4 * grid] * 2, [2 * grid] * 2, [grid] * 2],
    )
