"""The decoder: pictures and prompts in, masks, polygons and COCO out.

Knows tensors, images, prompts, masks, shapes and datasets; knows no web framework and reads no environment.
What needs PyTorch is imported when it is asked for: PyTorch takes seconds, and exports and servers' first pages
do without.
"""

import importlib
from typing import TYPE_CHECKING

from clickmask.decoder.cache import Cache
from clickmask.decoder.click_engine import Answer, ClickEngine
from clickmask.decoder.errors import (
    CheckpointError,
    ClickMaskError,
    ClusterError,
    DatasetError,
    DeviceError,
    ImageError,
    LearningError,
    PromptError,
    ShapeError,
    VideoError,
)
from clickmask.decoder.files import whole_file
from clickmask.decoder.images import PICTURE_SUFFIXES, ImageSource, LoadImage, load_image, open_picture, picture_size
from clickmask.decoder.mask_rule import RULES, MaskRule, Rule
from clickmask.decoder.models import (
    DEFAULT_MODEL,
    DEVICE_HELP,
    IMAGE_SIDE_HELP,
    MODELS,
    PRECISION_HELP,
    PRECISIONS,
    Model,
    ModelSpec,
    Precision,
)
from clickmask.decoder.prompts import Box, Point, Prompt, Size, check_prompt
from clickmask.decoder.worth import chance_all_good

if TYPE_CHECKING:
    from clickmask.decoder.auto.found import FoundMask
    from clickmask.decoder.auto.settings import AutoSettings
    from clickmask.decoder.checkpoints import load_model
    from clickmask.decoder.choose import choose_mask, stability_score
    from clickmask.decoder.cluster.remote import RemoteEngine
    from clickmask.decoder.engine import Engine
    from clickmask.decoder.mask_prompts import mask_to_logits
    from clickmask.decoder.segment import ImageEmbedding, MaskSet, binarize, encode_image, predict_many, predict_masks
    from clickmask.decoder.segmentation import Segmentation
    from clickmask.decoder.similar.examples import Example, Kind
    from clickmask.decoder.similar.find import SimilarObject
else:
    _NEED_PYTORCH = {
        "auto.found": ("FoundMask",),
        "auto.settings": ("AutoSettings",),
        "checkpoints": ("load_model",),
        "choose": ("choose_mask", "stability_score"),
        "cluster.remote": ("RemoteEngine",),
        "engine": ("Engine",),
        "mask_prompts": ("mask_to_logits",),
        "segment": ("ImageEmbedding", "MaskSet", "binarize", "encode_image", "predict_many", "predict_masks"),
        "segmentation": ("Segmentation",),
        "similar.examples": ("Example", "Kind"),
        "similar.find": ("SimilarObject",),
    }
    _HOMES = {name: f"{__name__}.{module}" for module, names in _NEED_PYTORCH.items() for name in names}

    def __getattr__(name):
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(importlib.import_module(_HOMES[name]), name)


__all__ = [
    "DEFAULT_MODEL",
    "DEVICE_HELP",
    "IMAGE_SIDE_HELP",
    "MODELS",
    "PICTURE_SUFFIXES",
    "PRECISIONS",
    "PRECISION_HELP",
    "RULES",
    "Answer",
    "AutoSettings",
    "Box",
    "Cache",
    "CheckpointError",
    "ClickEngine",
    "ClickMaskError",
    "ClusterError",
    "DatasetError",
    "DeviceError",
    "Engine",
    "Example",
    "FoundMask",
    "ImageEmbedding",
    "ImageError",
    "ImageSource",
    "Kind",
    "LearningError",
    "LoadImage",
    "MaskRule",
    "MaskSet",
    "Model",
    "ModelSpec",
    "Point",
    "Precision",
    "Prompt",
    "PromptError",
    "RemoteEngine",
    "Rule",
    "Segmentation",
    "ShapeError",
    "SimilarObject",
    "Size",
    "VideoError",
    "binarize",
    "chance_all_good",
    "check_prompt",
    "choose_mask",
    "encode_image",
    "load_image",
    "load_model",
    "mask_to_logits",
    "open_picture",
    "picture_size",
    "predict_many",
    "predict_masks",
    "stability_score",
    "whole_file",
]
