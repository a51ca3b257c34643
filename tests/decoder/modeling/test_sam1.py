"""SAM 1, number for number: the official package and transformers on the same random weights."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from clickmask.decoder import Box, Model, Point, Prompt, binarize, encode_image, predict_masks
from clickmask.decoder.frame import Frame
from clickmask.decoder.modeling.config import DecoderConfig, Geometry, Sam1Config, VitConfig
from clickmask.decoder.modeling.sam1 import LAYOUTS, Sam1
from clickmask.decoder.prompts import Size
from tests.decoder.modeling.official import official_package

OFFICIAL, TRANSFORMERS = LAYOUTS
WIDTH, CELLS = 32, 10
SIDE = 16 * CELLS
CONFIG = Sam1Config(VitConfig(48, 3, 3, (1,), window=4, cells=CELLS), DecoderConfig(WIDTH, 8, 64, WIDTH, WIDTH))
PICTURE = np.random.default_rng(0).integers(0, 256, (67, 101, 3), dtype=np.uint8)
EARLIER = 8 * torch.randn(1, 4 * CELLS, 4 * CELLS, generator=torch.Generator().manual_seed(5))
CLICKS, BOX = (Point(30, 25), Point(80.5, 60, positive=False)), Box(12, 9, 70, 55)
PROMPTS = {
    "click": Prompt(points=CLICKS[:1]),
    "clicks": Prompt(points=CLICKS),
    "box": Prompt(box=BOX),
    "box and click": Prompt(points=CLICKS[1:], box=BOX),
}


def official() -> Any:
    """A small network of the official package, random weights."""
    package = official_package("segment_anything").modeling
    torch.manual_seed(0)
    network = package.Sam(
        image_encoder=package.ImageEncoderViT(
            depth=3,
            embed_dim=48,
            img_size=SIDE,
            norm_layer=partial(nn.LayerNorm, eps=1e-6),
            num_heads=3,
            use_rel_pos=True,
            global_attn_indexes=(1,),
            window_size=4,
            out_chans=WIDTH,
        ),
        prompt_encoder=package.PromptEncoder(WIDTH, (CELLS, CELLS), (SIDE, SIDE), 16),
        mask_decoder=package.MaskDecoder(
            transformer_dim=WIDTH,
            transformer=package.TwoWayTransformer(depth=2, embedding_dim=WIDTH, num_heads=8, mlp_dim=64),
            iou_head_hidden_dim=WIDTH,
        ),
    ).eval()
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.2)
    return network


def ours(state: dict[str, torch.Tensor]) -> Model:
    """Our network with these weights."""
    network = Sam1(CONFIG).eval()
    network.load_state_dict(state, strict=True)
    return Model("small", network.requires_grad_(False), torch.device("cpu"), torch.float32, "random")


@pytest.fixture(scope="module")
def predictor() -> Any:
    """The official predictor on the picture."""
    network = official()
    from segment_anything import SamPredictor

    predictor = SamPredictor(network)
    predictor.set_image(PICTURE)
    return predictor


@pytest.fixture(scope="module")
def model(predictor: Any) -> Model:
    return ours(OFFICIAL.translate(predictor.model.state_dict()))


def test_the_embedding_is_the_official_one(predictor: Any, model: Model) -> None:
    embedding = encode_image(model, PICTURE)
    torch.testing.assert_close(embedding.features.image, predictor.features, atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", PROMPTS)
@pytest.mark.parametrize("rows", [slice(0, 1), slice(1, 4)], ids=["single", "candidates"])
def test_masks_and_scores_are_the_official_ones(name: str, rows: slice, predictor: Any, model: Model) -> None:
    prompt = PROMPTS[name]
    answer = predict_masks(model, encode_image(model, PICTURE), prompt)
    masks, ious, low = predictor.predict(**asked(prompt), multimask_output=rows.start == 1)
    whole = Frame(CONFIG.geometry, Size(*PICTURE.shape[:2])).to_picture(torch.from_numpy(low)[None])[0]
    torch.testing.assert_close(answer.logits[rows], whole, atol=1e-3, rtol=0)
    np.testing.assert_allclose(answer.predicted_iou[rows], ious, atol=1e-4, rtol=0)
    for row, mask in zip(range(4)[rows], masks, strict=True):
        assert (binarize(answer.logits[row], answer.size) ^ mask).sum() <= 2  # of 6767 pixels


def asked(prompt: Prompt) -> dict[str, Any]:
    """A prompt as the official predictor wants it."""
    points = np.array([(point.x, point.y) for point in prompt.points]) if prompt.points else None
    labels = np.array([int(point.positive) for point in prompt.points]) if prompt.points else None
    box = None if prompt.box is None else np.array(prompt.box.xyxy)
    return {"point_coords": points, "point_labels": labels, "box": box}


@pytest.mark.parametrize("name", PROMPTS)
def test_an_earlier_mask_on_the_networks_own_grid(name: str, predictor: Any, model: Model) -> None:
    prompt = PROMPTS[name]
    embedding = encode_image(model, PICTURE)
    from clickmask.decoder.segment import stack_points

    points, labels = stack_points([(embedding, prompt)], CONFIG.geometry, torch.device("cpu"))
    with torch.inference_mode():
        answer = model.network.decode(embedding.features, points, labels, EARLIER[None])
    _, ious, low = predictor.predict(**asked(prompt), mask_input=EARLIER.numpy(), multimask_output=True)
    np.testing.assert_allclose(answer.logits[0, 1:], low, atol=1e-3, rtol=0)
    np.testing.assert_allclose(answer.predicted_iou[0, 1:], ious, atol=1e-4, rtol=0)


@pytest.mark.parametrize("size", [Size(67, 101), Size(101, 67), Size(90, 90), Size(1, 300), Size(900, 600)])
def test_an_answer_handed_back_is_what_the_network_said(size: Size) -> None:
    """A mask prompt used to be resampled on its way there; what lies outside the picture is not handed on."""
    frame = Frame(CONFIG.geometry, size)
    given = EARLIER[None]
    back = frame.to_square(frame.to_picture(given)[0, 0])
    rows, columns = frame.inside.height // 4, frame.inside.width // 4
    torch.testing.assert_close(back[..., :rows, :columns], given[..., :rows, :columns], atol=1e-4, rtol=0)


def test_a_drawn_mask_lies_where_it_was_drawn() -> None:
    frame = Frame(Geometry(1024, fit="pad"), Size(600, 900))
    drawn = torch.full((600, 900), -8.0)
    drawn[300:, 450:] = 8.0
    grid = frame.to_square(drawn)[0, 0]
    assert (grid[86:170, 129:] > 0).all()
    assert (grid[:85] < 0).all()
    assert (grid[:, :127] < 0).all()
    assert (grid[171:] < 0).all()


def test_a_click_lies_where_the_picture_was_put() -> None:
    frame = Frame(Geometry(1024, fit="pad"), Size(600, 900))
    assert frame.point(900, 600) == (1.0, 683 / 1024)


def test_transformers_gives_the_same() -> None:
    from transformers import SamConfig, SamModel
    from transformers.models.sam.configuration_sam import SamMaskDecoderConfig, SamPromptEncoderConfig, SamVisionConfig

    vision = SamVisionConfig(
        hidden_size=48,
        output_channels=WIDTH,
        num_hidden_layers=3,
        num_attention_heads=3,
        image_size=SIDE,
        window_size=4,
        global_attn_indexes=[1],
        mlp_dim=192,
        num_pos_feats=WIDTH // 2,
    )
    prompts = SamPromptEncoderConfig(hidden_size=WIDTH, image_size=SIDE)
    decoder = SamMaskDecoderConfig(hidden_size=WIDTH, mlp_dim=64, iou_head_hidden_dim=WIDTH)
    torch.manual_seed(0)
    peer = SamModel(SamConfig(vision_config=vision, prompt_encoder_config=prompts, mask_decoder_config=decoder)).eval()
    for parameter in peer.parameters():
        nn.init.normal_(parameter, std=0.2)
    peer.shared_image_embedding.positional_embedding = peer.prompt_encoder.shared_embedding.positional_embedding
    network = ours(TRANSFORMERS.translate(peer.state_dict())).network
    pixels, points = torch.randn(1, 3, SIDE, SIDE), torch.tensor([[[10.0, 20.0], [40.0, 33.0]]])
    labels = torch.tensor([[1, 0]])
    with torch.inference_mode():
        theirs = peer(pixels, input_points=points[:, None], input_labels=labels[:, None], multimask_output=True)
        answer = network.decode(network.encode(pixels), points / SIDE, labels, None)
    torch.testing.assert_close(answer.logits[:, 1:], theirs.pred_masks[:, 0], atol=1e-3, rtol=0)
    torch.testing.assert_close(answer.predicted_iou[:, 1:], theirs.iou_scores[:, 0], atol=1e-4, rtol=0)
