"""The training loop: a fixed time, a learning rate that anneals to its end, an average of the weights, checkpoints.

Knows nothing about how images are made or what a step does.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from clickmask.decoder.errors import CheckpointError, DeviceError
from clickmask.decoder.files import whole_file
from training.parallel import average_step, share_from_first

SMALLEST_RATE = 0.01  # of the peak, at the end
WARM_UP = 0.03  # of the whole time
SLOW_STEP_S = 30.0  # a step that took longer (a machine asleep) counts as this much


@dataclass(frozen=True)
class LoopConfig:
    """How long and how hard to train.

    Args:
        minutes: Time spent in steps, over all resumed runs together.
        steps: Number of steps that ends the run in place of ``minutes``, for runs that must not depend on the machine.
        rate: Peak learning rate.
        shares: Parameters whose names begin so learn at this share of the rate, by the longest beginning that
            fits; at 0 they stay as they are. Attention saturates, for good, at a rate that convolutions like.
        weight_decay: Of AdamW, on matrices and kernels only.
        averaging: Decay of the moving average of the weights, reached after some hundred steps.
        clip: Largest norm of the gradient.
        save_every_s: Seconds between checkpoints.
    """

    minutes: float = math.inf
    steps: int | None = None
    rate: float = 1e-3
    shares: tuple[tuple[str, float], ...] = ()
    weight_decay: float = 0.05
    averaging: float = 0.998
    clip: float = 1.0
    save_every_s: float = 120.0


@dataclass
class Progress:
    """Where a run is."""

    step: int = 0
    seconds: float = 0.0


class Trainer:
    """A network in training: its optimiser, its average, and how far it is."""

    def __init__(self, network: nn.Module, average: nn.Module, config: LoopConfig) -> None:
        self.network, self.average, self.config = network, average.eval().requires_grad_(False), config
        share_from_first(network.state_dict().values())
        self.average.load_state_dict(network.state_dict())
        self.optimiser = _optimiser(network, config)
        self.progress = Progress()
        self._clock = time.perf_counter()

    @property
    def share_done(self) -> float:
        """Share of the run that is done, 0 to 1."""
        if self.config.steps is not None:
            return min(1.0, self.progress.step / self.config.steps)
        return min(1.0, self.progress.seconds / (60 * self.config.minutes))

    def step(self, loss_of: Callable[[], Tensor]) -> None:
        """Take one step down the loss."""
        for group in self.optimiser.param_groups:
            group["lr"] = group["peak"] * rate_at(self.share_done)
        self.optimiser.zero_grad(set_to_none=True)
        try:
            loss_of().backward()  # type: ignore[no-untyped-call]
        except torch.OutOfMemoryError:
            raise DeviceError("the device's memory does not suffice for a step, wanted fewer images per step") from None
        self.progress.seconds += average_step(self.network.parameters(), self._seconds_since_last())
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), self.config.clip)
        if bool(norm.isfinite()):  # one bad batch must not end the run
            self.optimiser.step()
        self.progress.step += 1
        self._average()

    def _seconds_since_last(self) -> float:
        now = time.perf_counter()
        spent = min(now - self._clock, SLOW_STEP_S)
        self._clock = now
        return spent

    @torch.no_grad()
    def _average(self) -> None:
        decay = min(self.config.averaging, (1 + self.progress.step) / (10 + self.progress.step))
        for mean, value in zip(self.average.state_dict().values(), self.network.state_dict().values(), strict=True):
            if mean.is_floating_point():
                mean.lerp_(value, 1 - decay)
            else:
                mean.copy_(value)

    def save(self, path: Path) -> None:
        """Write all that ``resume`` needs; a reader sees the old file or the new one."""
        state = {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "progress": asdict(self.progress),
        }
        with whole_file(path) as part:
            torch.save(state, part)

    def resume(self, path: Path) -> None:
        """Go on from a saved state.

        Raises:
            CheckpointError: If the file is broken or of another network.
        """
        try:
            state = torch.load(path, map_location=next(self.network.parameters()).device, weights_only=True)
            self.network.load_state_dict(state["network"])
            self.average.load_state_dict(state["average"])
            self.optimiser.load_state_dict(state["optimiser"])
            self.progress = Progress(**state["progress"])
        except (RuntimeError, KeyError, EOFError, ValueError, TypeError) as error:
            raise CheckpointError(f"training cannot go on from {path}: {error}") from error


def rate_at(share_done: float) -> float:
    """Learning rate relative to its peak: a linear warm-up, then half a cosine down to ``SMALLEST_RATE``.

    Example:
        >>> round(rate_at(0.015), 3), rate_at(0.03), round(rate_at(1.0), 3)
        (0.5, 1.0, 0.01)
    """
    if share_done < WARM_UP:
        return max(share_done / WARM_UP, 0.02)
    cosine = 0.5 * (1 + math.cos(math.pi * (share_done - WARM_UP) / (1 - WARM_UP)))
    return SMALLEST_RATE + (1 - SMALLEST_RATE) * cosine


def share_of(name: str, shares: tuple[tuple[str, float], ...]) -> float:
    """What share of the rate a parameter of this name learns at.

    Example:
        >>> share_of("trunk.lite.stem.0.weight", (("trunk", 0.5), ("trunk.lite", 0.0))), share_of("head", ())
        (0.0, 1.0)
    """
    fitting = [(len(beginning), share) for beginning, share in shares if name.startswith(beginning)]
    return max(fitting)[1] if fitting else 1.0


def _optimiser(network: nn.Module, config: LoopConfig) -> torch.optim.AdamW:
    """AdamW whose epsilon keeps parameters still that see nothing but rounding noise."""
    parts: dict[float, list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        share = share_of(name, config.shares)
        parameter.requires_grad_(share > 0)
        if share > 0:
            parts.setdefault(share, []).append(parameter)
    groups = []
    for share, part in sorted(parts.items(), reverse=True):
        peak = config.rate * share
        groups.append({"params": [p for p in part if p.ndim > 1], "weight_decay": config.weight_decay, "peak": peak})
        groups.append({"params": [p for p in part if p.ndim <= 1], "weight_decay": 0.0, "peak": peak})
    return torch.optim.AdamW(groups, lr=config.rate, betas=(0.9, 0.98), eps=3e-6, fused=True)
