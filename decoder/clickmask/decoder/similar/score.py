"""From evidence to the chance that a mask is an object like the examples.

A logistic regression, fitted by ``python -m benchmarks.similar fit`` on drawn pictures and photos that are not those
the figures come from. Its few numbers are relative to the picture and to the examples, so that they hold for other
weights and other networks.
"""

from __future__ import annotations

import torch
from torch import Tensor

from clickmask.decoder.similar.evidence import Evidence

BIAS = -7.22
WEIGHTS = (0.9, 0.41, 3.76, 3.43, 1.57, 0.94, 1.91, 1.9)  # in the order of ``evidence.NAMES``
REFUSAL = 8.0  # by how much being like a counterexample counts
IMPRESSION = (1.0, 0.5, 0.3, 0.6, 0.0, 0.8, 0.3, 0.5)  # while a mask is not cut out; only the order counts


def chances(evidence: Evidence) -> Tensor:
    """The chance of each mask to be an object like the examples, at an IoU of 0.7 or better: (N,) in [0, 1]."""
    return (evidence.values @ torch.tensor(WEIGHTS) + BIAS - REFUSAL * evidence.unlike).sigmoid()


def first_impression(evidence: Evidence) -> Tensor:
    """A number (N,) that puts masks in order before they are cut out."""
    return evidence.values @ torch.tensor(IMPRESSION) - evidence.unlike
