"""Segment everything on this machine: time beside transformers' pipeline with the same weights, memory, and recall.

``python -m benchmarks.everything speed PHOTO`` needs torchvision, which transformers' SAM 2 pictures need.
``python -m benchmarks.everything memory`` looks for 64 by 64 points on a picture of 4000x3000 with nano.
``python -m benchmarks.everything adaptive PHOTOS MASKS`` compares clicks and recall; masks are PHOTO_n.png.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from clickmask.decoder import (
    Engine,
    ImageEmbedding,
    MaskSet,
    Prompt,
    encode_image,
    load_image,
    load_model,
    predict_many,
)
from clickmask.decoder.auto.found import FoundMask
from clickmask.decoder.auto.generate import AnswerPrompts, segment_everything
from clickmask.decoder.auto.settings import OFFICIAL, people_settings
from clickmask.decoder.formats.png_files import read_binary
from clickmask.decoder.images import ImageSource
from clickmask.decoder.models import Model
from clickmask.decoder.refine.window import Window
from clickmask.decoder.shapes import mask_to_rle
from tests.peak import forget_peak, peak_kib

POINTS = 8  # a side, for the comparison; both take as long again for four times as many


def measure_speed(photo: Path) -> None:
    """Process time of both, the embedding included, three rounds in turns."""
    from transformers import Sam2Config, Sam2ImageProcessorFast, Sam2Model, pipeline

    torch.manual_seed(0)
    theirs = Sam2Model(Sam2Config()).eval()
    processor = Sam2ImageProcessorFast()
    generator = pipeline("mask-generation", model=theirs, image_processor=processor, device="cpu")
    ours = random_sam2()
    picture = load_image(photo)
    loose = {"pred_iou_thresh": 0.0, "stability_score_thresh": 0.5}
    settings = replace(OFFICIAL, points_per_side=POINTS, min_predicted_iou=0.0, min_stability=0.5)
    for _ in range(3):
        start = time.process_time()
        answer = generator(str(photo), points_per_crop=POINTS, points_per_batch=64, **loose)
        middle = time.process_time()
        found = Engine(ours).segment_everything(ImageSource("photo", lambda: picture), settings)
        end = time.process_time()
        print(f"transformers {middle - start:.1f} s, {len(answer['masks'])} masks")
        print(f"ClickMask {end - middle:.1f} s, {len(found)} masks")


def random_sam2() -> Model:
    """sam2.1_hiera_tiny with random weights: the time does not depend on them, but for the masks that pass."""
    from tempfile import TemporaryDirectory

    from tests.sam2_reference import reference_weights

    with TemporaryDirectory() as folder:
        path = Path(folder) / "sam2.1_hiera_tiny.pt"
        torch.save({"model": reference_weights("keys_sam2.1_t.json")}, path)
        return load_model(path)


def measure_memory() -> None:
    """Most memory above that with the model and the picture loaded."""
    picture = np.random.default_rng(0).integers(0, 256, (3000, 4000, 3), dtype=np.uint8)
    engine = Engine(load_model("nano"))
    image = ImageSource("noise", lambda: picture)
    engine.encode(image)
    forget_peak()
    before = peak_kib()
    settings = replace(people_settings("nano"), points_per_side=64, min_predicted_iou=0.2, min_stability=0.3)
    found = engine.segment_everything(image, settings)
    print(f"64x64 points on 4000x3000: {(peak_kib() - before) / 1024:.0f} MB more, {len(found)} masks kept")


def measure_adaptive(photos: Path, masks: Path) -> None:
    """Clicks, and how well the objects that people drew were found."""
    model = load_model("nano")
    settings = people_settings("nano")
    for name, wanted in (("whole grid", settings), ("adaptive", replace(settings, adaptive=True))):
        clicks, best = 0, []
        for photo in sorted(photos.glob("*.jpg")):
            embedding = encode_image(model, load_image(photo))
            asked: list[Prompt] = []

            def answer(
                prompts: Sequence[Prompt], embedding: ImageEmbedding = embedding, asked: list[Prompt] = asked
            ) -> list[MaskSet]:
                asked += prompts
                return predict_many(model, [(embedding, prompt) for prompt in prompts])

            found = segment_everything(partial(itself, answer), embedding.size, wanted)
            clicks += len(asked)
            best += [best_iou(read_binary(mask), found) for mask in sorted(masks.glob(f"{photo.stem}_*.png"))]
        reached = np.mean(np.array(best) >= 0.5)
        print(f"{name}: {clicks} clicks, mean best IoU {np.mean(best):.3f}, recall at 0.5 {reached:.3f}")


def itself(answer: AnswerPrompts, _window: Window) -> AnswerPrompts:
    """There is but one crop, the whole photo."""
    return answer


def best_iou(truth: NDArray[np.bool_], found: Sequence[FoundMask]) -> float:
    """The IoU of the found mask that fits best."""
    encoded = [{"size": rle["size"], "counts": rle["counts"].encode()} for rle in [mask_to_rle(truth)]]
    masks = [{"size": mask.rle["size"], "counts": mask.rle["counts"].encode()} for mask in found]
    return float(np.max(coco_mask.iou(encoded, masks, [0] * len(masks)))) if masks else 0.0


def main(what: str, *paths: str) -> None:
    """Measure one thing."""
    if what == "speed":
        measure_speed(Path(paths[0]))
    elif what == "memory":
        measure_memory()
    else:
        measure_adaptive(Path(paths[0]), Path(paths[1]))


if __name__ == "__main__":
    main(*sys.argv[1:])
