"""What came of learning, as a value and as a sentence; needs no PyTorch."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from clickmask.decoder.errors import LearningError

LEAST_GAIN = 0.03  # of the clicks, that learning must save: on a handful of objects less is chance
MOST_FORGOTTEN = 0.01  # of the mean IoU on general pictures, that learning may cost


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a try to learn gave.

    Args:
        version: Number of what was learned; 0 where it is not used.
        objects: Accepted objects that were looked at.
        held_back: How many of them were not learned from but tried on.
        skipped: Objects whose picture or mask could not be read.
        clicks_before: To IoU .85 on those held back, in the mean, with what was used until now.
        clicks_after: The same with what was learned.
        general_before: Mean IoU after three clicks on general pictures, with nothing learned.
        general_after: The same with what was learned.
        seconds: It took.
    """

    version: int
    objects: int
    held_back: int
    skipped: int
    clicks_before: float
    clicks_after: float
    general_before: float
    general_after: float
    seconds: float

    @property
    def is_used(self) -> bool:
        """Whether answers are made with it."""
        return self.version > 0

    @property
    def is_better(self) -> bool:
        """Whether it may be used: fewer clicks on objects that it never saw, and nothing general is lost."""
        return self._saves_clicks and self.forgotten <= MOST_FORGOTTEN

    @property
    def _saves_clicks(self) -> bool:
        return self.clicks_after <= (1 - LEAST_GAIN) * self.clicks_before

    @property
    def forgotten(self) -> float:
        """How much mean IoU is lost on general pictures."""
        return self.general_before - self.general_after

    @property
    def sentence(self) -> str:
        """For a person.

        Example:
            >>> Outcome(1, 40, 13, 0, 4.1, 2.9, 0.9, 0.9, 20.0).sentence
            'Learned from 40 objects: 2.9 clicks instead of 4.1'
        """
        left_out = f" ({self.skipped} more could not be read)" if self.skipped else ""
        clicks = f"{self.clicks_after:.1f} clicks instead of {self.clicks_before:.1f}"
        if self.is_used:
            return f"Learned from {self.objects} objects{left_out}: {clicks}"
        if self._saves_clicks:
            return (
                f"Not used: what {self.objects} objects{left_out} taught takes {clicks}, but other pictures would get "
                f"worse by {self.forgotten:.3f} of IoU; everything stays as it was"
            )
        return (
            f"Nothing gained from {self.objects} objects{left_out}: {clicks} on those held back; "
            "everything stays as it was"
        )

    def as_json(self) -> dict[str, Any]:
        """For a file."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: object) -> Self:
        """What ``as_json`` gave.

        Raises:
            LearningError: If it is something else.
        """
        names = {field.name for field in fields(cls)}
        if not isinstance(value, dict) or set(value) != names:
            raise LearningError(f"{str(value)[:80]} is no outcome of learning, wanted {', '.join(sorted(names))}")
        return cls(**value)
