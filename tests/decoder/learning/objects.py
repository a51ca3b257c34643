"""Accepted objects on drawn pictures."""

from __future__ import annotations

from clickmask.decoder.learning.drawn import draw_pictures
from clickmask.decoder.learning.examples import Example
from clickmask.decoder.learning.memory import drawn_source
from clickmask.decoder.learning.outcome import Outcome


def accepted_objects(count: int, seed: int = 7) -> list[Example]:
    """So many objects, on as few pictures as hold them."""
    found: list[Example] = []
    for number, picture in enumerate(draw_pictures(count, seed)):
        source = drawn_source(f"{seed} {number}", picture.pixels)
        found += [
            Example(f"{seed} {number} {place}", source, lambda mask=mask: mask)  # type: ignore[misc]
            for place, mask in enumerate(picture.masks)
        ]
        if len(found) >= count:
            break
    return found[:count]


def outcome(*, before: float = 4.0, after: float = 3.0, forgotten: float = 0.0, objects: int = 10) -> Outcome:
    """An outcome that is not used yet."""
    return Outcome(0, objects, 3, 0, before, after, 0.9, 0.9 - forgotten, 1.0)
