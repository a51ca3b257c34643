"""A second outside check: a tracker that we did not write (transformers' ``Sam2VideoModel``), random weights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Literal

import pytest
import torch
from torch import Tensor

from clickmask.decoder.modeling.config import MemoryConfig
from clickmask.decoder.modeling.sam2 import Sam2
from clickmask.decoder.prompts import Box, Point, Prompt
from clickmask.decoder.track.sam2_memory import Sam2Memory
from clickmask.decoder.track.sam2_propagation import Sam2Propagation
from clickmask.decoder.track.tracker import Tracker
from clickmask.decoder.video.frames import ArrayVideo
from tests.decoder.modeling.test_transformers_peer import TRANSFORMERS
from tests.decoder.small_peer import small_vision
from tests.decoder.track.small_sam2 import CONFIG, as_model, moving_square, randomise

SIDE, WIDTH, MEMORY = CONFIG.geometry.side, CONFIG.decoder.width, MemoryConfig(width=64, mlp_width=64, layers=2)
FRAMES = 18  # more than there are pointers

CLICK = Prompt(points=(Point(20, 25),))
BOX = Prompt(box=Box(15, 16, 33, 32))


@pytest.mark.parametrize(("version", "prompt"), [("2.1", CLICK), ("2.1", BOX), ("2.0", CLICK)])
def test_the_peer_follows_alike(version: Literal["2.0", "2.1"], prompt: Prompt) -> None:
    peer = peer_model(version)
    tracker = with_weights_of(peer, version)
    first = tracker.prompt(tracker.start(), 0, 1, prompt)
    steps = list(tracker.propagate(first.state, range(FRAMES)))
    theirs = list(propagate_peer(peer, tracker, prompt))
    assert len(steps) == len(theirs) == FRAMES
    for step, logits in zip(steps, theirs, strict=True):
        memory = step.state.banks[1].at(step.frame)
        assert memory is not None
        assert memory.present  # else all logits are one constant
        torch.testing.assert_close(memory.logits, logits, atol=1e-3, rtol=0)


def with_weights_of(peer: Any, version: Literal["2.0", "2.1"]) -> Tracker[Sam2Memory]:
    """Our tracker with the peer's weights."""
    network = Sam2(replace(CONFIG, version=version))
    network.load_state_dict(TRANSFORMERS.translate(peer.state_dict()), strict=True)
    return Tracker(Sam2Propagation(as_model(network)), ArrayVideo(moving_square(FRAMES)))


def propagate_peer(peer: Any, tracker: Tracker[Sam2Memory], prompt: Prompt) -> Iterator[Tensor]:
    """Give the peer's logits (h, w) frame by frame."""
    from transformers.models.sam2_video.modeling_sam2_video import Sam2VideoInferenceSession

    # The peer brings its own resizing; pictures of the network's own size need none.
    images = torch.stack([torch.from_numpy(frame.image) for frame in tracker.video.frames(range(FRAMES))])
    mean, std = torch.tensor(CONFIG.geometry.mean), torch.tensor(CONFIG.geometry.std)
    pixels = ((images.float() / 255 - mean) / std).permute(0, 3, 1, 2)
    session = Sam2VideoInferenceSession(video=pixels, video_height=SIDE, video_width=SIDE, dtype=torch.float32)
    session.add_point_inputs(session.obj_id_to_idx(1), 0, peer_points(prompt))
    session.obj_with_new_inputs.append(1)
    with torch.inference_mode():
        peer(session, frame_idx=0)
        for output in peer.propagate_in_video_iterator(session):
            yield output.pred_masks[0, 0]


def peer_points(prompt: Prompt) -> dict[str, Tensor]:
    """The prompt as the peer's processor would put it: box corners are points with labels 2 and 3."""
    corners = [] if prompt.box is None else [(prompt.box.x0, prompt.box.y0, 2), (prompt.box.x1, prompt.box.y1, 3)]
    places = [*corners, *((point.x, point.y, int(point.positive)) for point in prompt.points)]
    table = torch.tensor(places, dtype=torch.float32)[None, None]  # (1, 1, N, 3)
    return {"point_coords": table[..., :2], "point_labels": table[..., 2].long()}


def peer_model(version: str) -> Any:
    """A small network with random weights."""
    from transformers import Sam2VideoConfig, Sam2VideoModel
    from transformers.models.sam2_video.configuration_sam2_video import (
        Sam2VideoMaskDecoderConfig,
        Sam2VideoPromptEncoderConfig,
    )

    vision = small_vision(SIDE, WIDTH)
    config = Sam2VideoConfig(
        vision_config=vision,
        prompt_encoder_config=Sam2VideoPromptEncoderConfig(hidden_size=WIDTH, image_size=SIDE),
        mask_decoder_config=Sam2VideoMaskDecoderConfig(hidden_size=WIDTH, mlp_dim=64, iou_head_hidden_dim=WIDTH),
        image_size=SIDE,
        enable_occlusion_spatial_embedding=version == "2.1",
        enable_temporal_pos_encoding_for_object_pointers=version == "2.1",
        memory_attention_hidden_size=WIDTH,
        memory_attention_num_layers=MEMORY.layers,
        memory_attention_feed_forward_hidden_size=MEMORY.mlp_width,
        memory_attention_rope_feat_sizes=[SIDE // 16] * 2,
        memory_encoder_hidden_size=WIDTH,
        memory_encoder_output_channels=MEMORY.width,
        mask_downsampler_embed_dim=WIDTH,
        memory_fuser_embed_dim=WIDTH,
        memory_fuser_intermediate_dim=4 * WIDTH,
    )
    torch.manual_seed(0)
    model = Sam2VideoModel(config).eval()
    randomise(model)
    model.mask_decoder.pred_obj_score_head.proj_out.bias.data += 2  # let it see the object
    # One table in SAM 2; real checkpoints of the peer hold two equal copies of it.
    model.shared_image_embedding.positional_embedding = model.prompt_encoder.shared_embedding.positional_embedding
    return model
