"""Composites: objects cut out of their own pictures, put into other scenes, with parts, shadows and occlusion."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from training.material import Material, draw_cutout, draw_photo, draw_texture, read_rgb, read_rgba
from training.scene import SIDE, Patch, Rgb, Scene
from training.surfaces import crop_of, random_alpha, random_shape, random_surface, recolour, shaded_colour


def make_composite(material: Material, rng: np.random.Generator) -> tuple[Rgb, NDArray[np.uint8]]:
    """Paint one scene.

    Returns:
        Pixels (SIDE, SIDE, 3) and labels (SIDE, SIDE, 3), uint8, as ``Scene.finish`` gives them.
    """
    scene = _background(material, rng)
    if rng.random() < 0.15:
        _paint_siblings(scene, material, rng)
    for _ in range(int(rng.integers(2, 8))):
        side = int(SIDE * np.exp(rng.uniform(np.log(0.1), np.log(0.95))))
        _paint_object(scene, random_object(material, side, rng), material, rng)
    return scene.finish(rng)


def _background(material: Material, rng: np.random.Generator) -> Scene:
    """Mostly a photo, whose own objects have no labels; else something with no object in it."""
    kind = rng.random()
    if kind < 0.65:
        photo = crop_of(read_rgb(draw_photo(material, rng)), SIDE, SIDE, rng, zoom=(0.5, 1.0))
        return Scene(recolour(photo, rng), empty=False)
    if kind < 0.88:
        texture = crop_of(read_rgb(draw_texture(material, rng)), SIDE, SIDE, rng, zoom=(0.3, 1.0))
        blurred = cv2.GaussianBlur(texture, (0, 0), float(rng.uniform(0.5, 12)))
        return Scene(recolour(np.asarray(blurred, np.uint8), rng), empty=True)
    return Scene(shaded_colour(SIDE, SIDE, rng), empty=True)


def random_object(material: Material, side: int, rng: np.random.Generator) -> Patch:
    kind = rng.random()
    if kind < 0.72:
        return _cutout_object(material, side, rng)
    if kind < 0.86:
        return _assembled_object(material, side, rng)
    height, width = (max(6, int(side * rng.uniform(0.4, 1))) for _ in range(2))
    alpha = random_alpha(height, width, rng)
    return Patch(random_surface(material, height, width, rng), alpha)


def _cutout_object(material: Material, side: int, rng: np.random.Generator) -> Patch:
    """A cut-out, turned and scaled; some get another surface over their own light and shade."""
    picture = _turned(read_rgba(draw_cutout(material, rng)), rng)
    scale = side / max(picture.shape[:2])
    width, height = (max(4, round(length * scale)) for length in (picture.shape[1], picture.shape[0]))
    picture = np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    rgb, alpha = picture[..., :3], np.asarray(picture[..., 3] / 255, np.float32)
    if rng.random() < 0.15:
        light = rgb.mean(axis=2, keepdims=True) / max(1.0, float(rgb[alpha > 0.5].mean() if alpha.max() > 0.5 else 1))
        rgb = np.clip(random_surface(material, height, width, rng) * np.clip(light, 0.3, 1.7), 0, 255).astype(np.uint8)
    rgb = recolour(rgb, rng)
    part = None
    if rng.random() < 0.15:  # a sticker, a patch of another material
        part = random_shape(height, width, rng) > 0
        part &= random_shape(height, width, rng) > 0
        rgb = np.where(part[..., None], random_surface(material, height, width, rng), rgb)
    return Patch(rgb, alpha, part)


def _assembled_object(material: Material, side: int, rng: np.random.Generator) -> Patch:
    """One object made of two to four shapes with different surfaces: whole is more than a colour patch."""
    height, width = (max(10, int(side * rng.uniform(0.5, 1))) for _ in range(2))
    rgb = random_surface(material, height, width, rng)
    alpha = np.zeros((height, width), np.uint8)
    part: NDArray[np.bool_] = np.zeros((height, width), np.bool_)
    for index in range(int(rng.integers(2, 5))):
        share = rng.uniform(0.35, 0.8, 2)
        h, w = max(4, int(height * share[0])), max(4, int(width * share[1]))
        top, left = int(rng.integers(height - h + 1)), int(rng.integers(width - w + 1))
        if index == 0:  # later shapes touch the first
            top, left = (height - h) // 2, (width - w) // 2
        window = (slice(top, top + h), slice(left, left + w))
        shape = random_shape(h, w, rng) > 0
        rgb[window] = np.where(shape[..., None], random_surface(material, h, w, rng), rgb[window])
        alpha[window][shape] = 255
        part[window] = shape if index == 0 else part[window] & ~shape
    return Patch(rgb, _largest_piece(alpha), part)


def _paint_object(scene: Scene, patch: Patch, material: Material, rng: np.random.Generator) -> None:
    """Place an object, sometimes camouflaged, with a shadow, or with a thing attached to it."""
    height, width = patch.alpha.shape
    left = int(rng.integers(-width // 4, SIDE - 3 * width // 4))
    top = int(rng.integers(-height // 4, SIDE - 3 * height // 4))
    if rng.random() < 0.15:
        patch = _camouflaged(patch, scene, left, top, rng)
    if rng.random() < 0.45:
        _cast_shadow(scene, patch, left, top, rng)
    if rng.random() > 0.12 or min(height, width) < 24:
        scene.paint(patch, left, top)
        return
    group = scene.new_label()
    scene.paint(patch, left, top, group=group)
    attached = random_object(material, max(8, int(max(height, width) * rng.uniform(0.25, 0.6))), rng)
    rows, columns = np.nonzero(patch.alpha > 0.5)
    if len(rows):
        spot = int(rng.integers(len(rows)))
        h, w = attached.alpha.shape
        scene.paint(attached, left + int(columns[spot]) - w // 2, top + int(rows[spot]) - h // 2, group=group)


def _paint_siblings(scene: Scene, material: Material, rng: np.random.Generator) -> None:
    """Several of the same kind side by side, as on a shelf or in a herd: each is an object of its own."""
    kind_seed = int(rng.integers(2**31))
    side = int(SIDE * rng.uniform(0.15, 0.35))
    step = int(side * rng.uniform(0.7, 1.1))
    row = int(rng.integers(0, SIDE - side // 2))
    for index in range(int(rng.integers(3, 7))):
        same = _cutout_object(material, side, np.random.default_rng(kind_seed))
        jitter = rng.integers(-side // 10 - 1, side // 10 + 1, 2)
        scene.paint(
            Patch(recolour(same.rgb, rng, strength=0.4), same.alpha, same.part),
            index * step + int(jitter[0]),
            row + int(jitter[1]),
        )


def _camouflaged(patch: Patch, scene: Scene, left: int, top: int, rng: np.random.Generator) -> Patch:
    """Move the object's mean colour most of the way to what lies behind it."""
    behind = scene.mean_colour(left, top, *patch.alpha.shape)
    inside = patch.alpha > 0.5
    if behind is None or not inside.any():
        return patch
    shift = (behind - patch.rgb[inside].mean(axis=0)) * rng.uniform(0.6, 1.0)
    return Patch(np.clip(patch.rgb + shift, 0, 255).astype(np.uint8), patch.alpha, patch.part)


def _cast_shadow(scene: Scene, patch: Patch, left: int, top: int, rng: np.random.Generator) -> None:
    height, width = patch.alpha.shape
    blur = max(1.0, 0.06 * max(height, width) * rng.uniform(0.3, 1.5))
    margin = int(3 * blur)
    shadow = cv2.copyMakeBorder(patch.alpha, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=0)
    shadow = np.asarray(cv2.GaussianBlur(shadow, (0, 0), blur), np.float32)
    dx, dy = rng.normal(0, 0.08, 2) * max(height, width)
    scene.shade(shadow, left - margin + int(dx), top - margin + int(abs(dy)), strength=float(rng.uniform(0.2, 0.7)))


def _turned(picture: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Mirror and rotate an RGBA picture: mostly a little, sometimes to any angle."""
    if rng.random() < 0.5:
        picture = picture[:, ::-1]
    angle = float(rng.normal(0, 12) if rng.random() < 0.7 else rng.uniform(-180, 180))
    height, width = picture.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1.0)
    cos, sin = abs(matrix[0, 0]), abs(matrix[0, 1])
    new_w, new_h = int(height * sin + width * cos) + 1, int(height * cos + width * sin) + 1
    matrix[:, 2] += ((new_w - width) / 2, (new_h - height) / 2)
    return np.asarray(cv2.warpAffine(np.ascontiguousarray(picture), matrix, (new_w, new_h)), np.uint8)


def _largest_piece(mask: NDArray[np.uint8]) -> NDArray[np.float32]:
    _, pieces, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
    if len(stats) < 2:
        return np.zeros(mask.shape, np.float32)
    largest = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    return np.asarray(pieces == largest, np.float32)
