"""SAM 3's click head and tracker, number for number: transformers on the same random weights."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from clickmask.decoder import CheckpointError, Prompt
from clickmask.decoder.modeling.config import (
    HALF,
    DecoderConfig,
    Geometry,
    MemoryConfig,
    RotaryVitConfig,
    Sam2Config,
)
from clickmask.decoder.modeling.sam2 import ImageSam2, Sam2
from clickmask.decoder.modeling.sam3 import LAYOUTS
from clickmask.decoder.models import MODELS, ModelSpec
from clickmask.decoder.prompts import Box, Point
from clickmask.decoder.recognition import recognise
from clickmask.decoder.track.sam2_propagation import Sam2Propagation
from clickmask.decoder.track.tracker import Tracker
from clickmask.decoder.video.frames import ArrayVideo
from clickmask.decoder.weight_files import WeightFile
from tests.decoder.track.small_sam2 import as_model, moving_square, randomise

OFFICIAL, OFFICIAL_31, TRANSFORMERS = LAYOUTS
SIDE, WIDTH, FRAMES = 14 * 6, 128, 10
TRUNK = RotaryVitConfig(width=32, depth=2, heads=2, mlp_width=148, global_blocks=(1,), window=4, table=4)
CONFIG = Sam2Config(
    TRUNK,
    "2.1",
    Geometry(SIDE, 14, mean=HALF, std=HALF),
    DecoderConfig(WIDTH, 8, 64, WIDTH, WIDTH),
    MemoryConfig(width=64, mlp_width=64, layers=2),
)


def vision(scales: list[float]) -> Any:
    from transformers.models.sam3.configuration_sam3 import Sam3VisionConfig, Sam3ViTConfig

    backbone = Sam3ViTConfig(
        hidden_size=TRUNK.width,
        intermediate_size=TRUNK.mlp_width,
        num_hidden_layers=TRUNK.depth,
        num_attention_heads=TRUNK.heads,
        image_size=SIDE,
        window_size=TRUNK.window,
        global_attn_indexes=[1],
        pretrain_image_size=14 * TRUNK.table,
    )
    return Sam3VisionConfig(
        backbone_config=backbone,
        fpn_hidden_size=WIDTH,
        backbone_feature_sizes=[[24, 24], [12, 12], [6, 6]],
        scale_factors=scales,
    )


@pytest.fixture(scope="module")
def peer() -> Any:
    """A small image network; its neck has no coarsest level, or the peer would add "no memory" to that."""
    from transformers import Sam3TrackerConfig, Sam3TrackerModel
    from transformers.models.sam3_tracker import configuration_sam3_tracker as sizes

    config = Sam3TrackerConfig(
        vision_config=vision([4.0, 2.0, 1.0]),
        prompt_encoder_config=sizes.Sam3TrackerPromptEncoderConfig(hidden_size=WIDTH, image_size=SIDE),
        mask_decoder_config=sizes.Sam3TrackerMaskDecoderConfig(
            hidden_size=WIDTH, mlp_dim=64, iou_head_hidden_dim=WIDTH
        ),
    )
    torch.manual_seed(0)
    model = Sam3TrackerModel(config).eval()
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.15)
    model.shared_image_embedding.positional_embedding = model.prompt_encoder.shared_embedding.positional_embedding
    return model


@pytest.fixture(scope="module")
def ours(peer: Any) -> ImageSam2:
    """Our network with the peer's weights."""
    network = ImageSam2(CONFIG).eval()
    network.load_state_dict(TRANSFORMERS.translate(peer.state_dict()), strict=True)
    return network


POINTS, LABELS = [[10.0, 20.0], [60.0, 33.0]], [1, 0]
CORNERS = [[12.0, 9.0], [50.0, 70.0]]
PROMPTS: dict[str, dict[str, Any]] = {
    "points": {"points": True},
    "box": {"box": True},
    "box and points": {"points": True, "box": True},
    "points and mask": {"points": True, "mask": True},
}


@pytest.mark.parametrize("name", PROMPTS)
def test_the_peer_gives_the_same_masks_and_scores(name: str, peer: Any, ours: ImageSam2) -> None:
    asked = PROMPTS[name]
    torch.manual_seed(1)
    pixels, earlier = torch.randn(1, 3, SIDE, SIDE), torch.randn(1, 1, 24, 24) if "mask" in asked else None
    corners, points = (CORNERS if "box" in asked else []), (POINTS if "points" in asked else [])
    labels = [2, 3][: len(corners)] + LABELS[: len(points)]
    with torch.inference_mode():
        theirs = peer(
            pixel_values=pixels,
            input_points=torch.tensor([[points]]) if points else None,
            input_labels=torch.tensor([[LABELS]]) if points else None,
            input_boxes=torch.tensor([[[*CORNERS[0], *CORNERS[1]]]]) if corners else None,
            input_masks=earlier,
            multimask_output=True,
        )
        places = torch.tensor([corners + points]) / SIDE
        answer = ours.decode(ours.encode(pixels), places, torch.tensor([labels]), earlier)
    torch.testing.assert_close(answer.logits[:, 1:], theirs.pred_masks[:, 0], atol=1e-4, rtol=1e-5)
    torch.testing.assert_close(answer.predicted_iou[:, 1:], theirs.iou_scores[:, 0], atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    "prompt", [Prompt(points=(Point(30, 35),)), Prompt(box=Box(15, 16, 43, 42))], ids=["click", "box"]
)
def test_the_peer_follows_alike(prompt: Prompt) -> None:
    peer = video_peer()
    network = Sam2(CONFIG)
    network.load_state_dict(TRANSFORMERS.translate(peer.state_dict()), strict=True)
    tracker = Tracker(Sam2Propagation(as_model(network)), ArrayVideo(moving_square(FRAMES, side=SIDE)))
    first = tracker.prompt(tracker.start(), 0, 1, prompt)
    steps = list(tracker.propagate(first.state, range(FRAMES)))
    for step, logits in zip(steps, follow_peer(peer, tracker, prompt), strict=True):
        memory = step.state.banks[1].at(step.frame)
        assert memory is not None
        assert memory.present  # else all logits are one constant
        torch.testing.assert_close(memory.logits, logits, atol=1e-3, rtol=0)


def video_peer() -> Any:
    """A small tracker with random weights."""
    from transformers import Sam3TrackerVideoConfig, Sam3TrackerVideoModel
    from transformers.models.sam3_tracker_video import configuration_sam3_tracker_video as sizes

    config = Sam3TrackerVideoConfig(
        vision_config=vision([4.0, 2.0, 1.0, 0.5]),
        prompt_encoder_config=sizes.Sam3TrackerVideoPromptEncoderConfig(hidden_size=WIDTH, image_size=SIDE),
        mask_decoder_config=sizes.Sam3TrackerVideoMaskDecoderConfig(
            hidden_size=WIDTH, mlp_dim=64, iou_head_hidden_dim=WIDTH
        ),
        image_size=SIDE,
        enable_occlusion_spatial_embedding=True,
        enable_temporal_pos_encoding_for_object_pointers=True,
        memory_attention_hidden_size=WIDTH,
        memory_attention_num_layers=2,
        memory_attention_feed_forward_hidden_size=64,
        memory_attention_rope_feat_sizes=[6, 6],
        memory_encoder_hidden_size=WIDTH,
        memory_encoder_output_channels=64,
        mask_downsampler_embed_dim=WIDTH,
        memory_fuser_embed_dim=WIDTH,
        memory_fuser_intermediate_dim=4 * WIDTH,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = Sam3TrackerVideoModel(config).eval()
        randomise(model)
        model.mask_decoder.pred_obj_score_head.proj_out.bias.data.add_(8.0)
    model.shared_image_embedding.positional_embedding = model.prompt_encoder.shared_embedding.positional_embedding
    return model


def follow_peer(peer: Any, tracker: Tracker[Any], prompt: Prompt) -> list[torch.Tensor]:
    """The peer's logits, frame by frame."""
    from transformers.models.sam3_tracker_video.modeling_sam3_tracker_video import (
        Sam3TrackerVideoInferenceSession as Session,
    )

    from tests.decoder.track.test_transformers_peer import peer_points

    images = torch.stack([torch.from_numpy(frame.image) for frame in tracker.video.frames(range(FRAMES))])
    pixels = ((images.float() / 255 - 0.5) / 0.5).permute(0, 3, 1, 2)
    session = Session(video=pixels, video_height=SIDE, video_width=SIDE, dtype=torch.float32)
    session.add_point_inputs(session.obj_id_to_idx(1), 0, peer_points(prompt))
    session.obj_with_new_inputs.append(1)
    with torch.inference_mode():
        peer(session, frame_idx=0)
        return [output.pred_masks[0, 0] for output in peer.propagate_in_video_iterator(session)]


def official_keys(weights: dict[str, torch.Tensor], *, multiplex: bool = False) -> dict[str, torch.Tensor]:
    """Our names as sam3.pt has them, with parts that are not ours beside them."""
    vision = "detector.backbone.vision_backbone"
    convs = "interactive_convs" if multiplex else "sam2_convs"
    head = "tracker.model.interactive_sam_" if multiplex else "tracker.sam_"
    steps = [
        ("image_encoder.trunk.", f"{vision}.trunk."),
        (".proj1.", ".conv_1x1."),
        (".proj2.", ".conv_3x3."),
        ("levels.0.up.0.", "levels.0.dconv_2x2_0."),
        ("levels.0.up.2.", "levels.0.dconv_2x2_1."),
        ("levels.1.up.0.", "levels.1.dconv_2x2."),
        ("image_encoder.neck.levels.", f"{vision}.{convs}."),
        ("memory_attention.", "tracker.transformer.encoder."),
        ("memory_encoder.", "tracker.maskmem_backbone."),
        ("prompt_encoder.", f"{head}prompt_encoder."),
    ]
    named: dict[str, torch.Tensor] = {f"{vision}.trunk.blocks.0.attn.freqs_cis": torch.zeros(2)}
    for key, value in weights.items():
        trunk = key.startswith("image_encoder.trunk.")
        for old, new in steps:
            key = key.replace(old, new)
        if key.startswith("mask_decoder."):
            key = f"{head}{key}"
        if ".transformer.layers" in key or trunk:
            names = ("fc1", "fc2") if trunk else ("lin1", "lin2")
            key = key.replace(".mlp.layers.0.", f".mlp.{names[0]}.").replace(".mlp.layers.1.", f".mlp.{names[1]}.")
        if "." not in key.removeprefix("tracker.") or key.startswith(("mask_downsample", "obj_ptr")):
            key = "tracker.model.interactivity_no_mem_embed" if multiplex else f"tracker.{key}"
        named[key] = torch.cat([value[:, :1], value], dim=1) if key.endswith("trunk.pos_embed") else value
    return {**named, "detector.transformer.decoder.norm.weight": torch.zeros(3)}


@pytest.mark.parametrize("multiplex", [False, True], ids=["3.0", "3.1"])
def test_the_official_file_is_known(multiplex: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setitem(MODELS, "small", ModelSpec("small", "SAM 3", CONFIG, "none"))
    network: nn.Module = ImageSam2(CONFIG) if multiplex else Sam2(CONFIG)
    randomise(network)
    weights = official_keys(network.state_dict(), multiplex=multiplex)
    if multiplex:
        weights["tracker.model.sam_mask_decoder.mask_tokens.weight"] = torch.zeros(48, 3)
    found = recognise(WeightFile(tmp_path / "sam3.pt", weights, None, False))
    assert found.spec.name == "small"
    for key, value in network.state_dict().items():
        assert torch.equal(found.weights[key], value), key


def test_one_renamed_key_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """Public loaders have run SAM 3.1 with a head that was never loaded."""
    monkeypatch.setitem(MODELS, "small", ModelSpec("small", "SAM 3", CONFIG, "none"))
    weights = official_keys(Sam2(CONFIG).state_dict())
    weights["tracker.sam_mask_decoder.iou_tokens.weight"] = weights.pop("tracker.sam_mask_decoder.iou_token.weight")
    with pytest.raises(CheckpointError, match=r"missing keys, such as mask_decoder\.iou_token\.weight; 1 unknown"):
        recognise(WeightFile(tmp_path / "sam3.pt", weights, None, False))
