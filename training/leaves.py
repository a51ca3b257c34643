"""Dead leaves: random shapes of real textures over one another, until the picture is full. Every region is known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.material import Material, draw_photo, read_rgb
from training.scene import SIDE, WHOLE, Patch, Rgb, Scene
from training.surfaces import crop_of, random_alpha, random_surface, recolour


def make_leaves(material: Material, rng: np.random.Generator) -> tuple[Rgb, NDArray[np.uint8]]:
    """Paint one picture of 6 to 40 leaves, large ones first.

    In three pictures of ten all surfaces come from one photo, so that neighbours look alike.

    Returns:
        Pixels (SIDE, SIDE, 3) and labels (SIDE, SIDE, 3), uint8, as ``Scene.finish`` gives them.
    """
    photo = read_rgb(draw_photo(material, rng)) if rng.random() < 0.3 else None

    def surface(height: int, width: int) -> Rgb:
        if photo is None:
            return random_surface(material, height, width, rng)
        return recolour(crop_of(photo, height, width, rng, zoom=(0.1, 0.5)), rng, strength=0.4)

    scene = Scene(surface(SIDE, SIDE), empty=False)
    scene.labels[..., WHOLE] = scene.new_label()  # the ground is a region like any other
    count = int(np.exp(rng.uniform(np.log(6), np.log(40))))
    sides = np.sort(np.exp(rng.uniform(np.log(0.08), np.log(0.95), count)))[::-1]
    for side in sides:
        height, width = (max(6, int(SIDE * side * rng.uniform(0.3, 1))) for _ in range(2))
        alpha = random_alpha(height, width, rng)
        left, top = (
            int(rng.integers(-width // 2, SIDE - width // 2)),
            int(rng.integers(-height // 2, SIDE - height // 2)),
        )
        if rng.random() < 0.3:
            scene.shade(alpha, left + int(rng.integers(-6, 7)), top + int(rng.integers(-2, 7)), strength=0.4)
        scene.paint(Patch(surface(height, width), alpha), left, top)
    return scene.finish(rng)
