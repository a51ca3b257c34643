"""The decoder: pictures and prompts in, masks, polygons and COCO out.

Knows tensors, images, prompts, masks, shapes and datasets; knows no web framework and reads no environment.
"""

from decoder.auto import AutoSettings, FoundMask
from decoder.cache import CacheCounts
from decoder.checkpoints import load_model
from decoder.choose import RULES, Rule, choose_mask, stability_score
from decoder.engine import Engine, LoadImage, Segmentation
from decoder.errors import (
    CheckpointError,
    ClickMaskError,
    DatasetError,
    ImageError,
    PromptError,
    ShapeError,
    VideoError,
)
from decoder.images import load_image
from decoder.models import DEFAULT_MODEL, MODELS, Model, ModelSpec
from decoder.prompts import Box, Point, Prompt, Size, check_prompt
from decoder.segment import ImageEmbedding, MaskSet, binarize, encode_image, predict_many, predict_masks

__all__ = [
    "DEFAULT_MODEL",
    "MODELS",
    "RULES",
    "AutoSettings",
    "Box",
    "CacheCounts",
    "CheckpointError",
    "ClickMaskError",
    "DatasetError",
    "Engine",
    "FoundMask",
    "ImageEmbedding",
    "ImageError",
    "LoadImage",
    "MaskSet",
    "Model",
    "ModelSpec",
    "Point",
    "Prompt",
    "PromptError",
    "Rule",
    "Segmentation",
    "ShapeError",
    "Size",
    "VideoError",
    "binarize",
    "check_prompt",
    "choose_mask",
    "encode_image",
    "load_image",
    "load_model",
    "predict_many",
    "predict_masks",
    "stability_score",
]
