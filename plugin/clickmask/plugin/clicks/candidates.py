"""What else a click may have meant: the model's other masks, for people who want to choose in the page."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from clickmask.decoder import Answer, Segmentation
from clickmask.decoder.shapes import mask_iou

CANDIDATES = (1, 2, 3)  # rows of an answer: a part, a whole and what it belongs to, in the model's own order
SAME = 0.9  # IoU from which two masks are one to a person


def candidates(answer: Answer) -> Iterator[tuple[NDArray[np.bool_], float]]:
    """Yield the masks of an answer that differ, with their predicted IoU: the chosen one, then the best of the others.

    Masks without a pixel are left out. An engine on another machine sends the chosen mask only.
    """
    kept = [answer.mask()]
    yield kept[0], answer.score
    if not isinstance(answer, Segmentation):
        return
    for row in sorted(set(CANDIDATES) - {answer.chosen}, key=lambda row: -answer.predicted_iou[row]):
        mask = answer.mask(row)
        if mask.any() and all(mask_iou(mask, other) < SAME for other in kept):
            kept.append(mask)
            yield mask, answer.predicted_iou[row]
