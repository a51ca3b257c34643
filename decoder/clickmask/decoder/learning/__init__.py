"""Learning from accepted objects: a small adapter on the mask decoder, that is used only if it helps.

An adapter is a value; a model with one is a model like any other, and every embedding stays valid. What is here needs
no PyTorch: a process of its own learns.
"""

from clickmask.decoder.learning.job import FIRST_TRY, AcceptedObject, LearningJob, LearningProcess, is_due
from clickmask.decoder.learning.outcome import Outcome
from clickmask.decoder.learning.versions import STATE, State, Versions

__all__ = [
    "FIRST_TRY",
    "STATE",
    "AcceptedObject",
    "LearningJob",
    "LearningProcess",
    "Outcome",
    "State",
    "Versions",
    "is_due",
]
