"""What goes back to Label Studio."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

JsonObject = dict[str, Any]
Prediction = JsonObject | list[JsonObject]
"""The answer to one task: a prediction, or an empty list, for which Label Studio stores nothing."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back to Label Studio, and what the log says about it."""

    body: JsonObject
    log_fields: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PendingReply:
    """A reply that gets fuller while others work on it.

    Args:
        futures: What is to be waited for.
        reply: Gives the reply as it is by then.
        seconds: How long to wait at most [s].
    """

    futures: Sequence[Future[Any]]
    reply: Callable[[], Reply]
    seconds: float


def prediction(regions: Sequence[JsonObject], score: float, version: str) -> JsonObject:
    """Write one prediction."""
    return {"model_version": version, "score": score, "result": list(regions)}


def unprompted_reply(predictions: Sequence[Prediction], waiting: int = 0) -> Reply:
    """Answer a request without a prompt: one entry per task, or Label Studio asks for each task again.

    Args:
        predictions: By task.
        waiting: How many tasks are not worked through yet, for the log.
    """
    fields = {"tasks": len(predictions), "prompt": "null", "answers": sum(map(bool, predictions))}
    return Reply({"results": list(predictions)}, fields | ({"waiting": waiting} if waiting else {}))


def merged(first: Reply | PendingReply, second: Reply | PendingReply) -> Reply | PendingReply:
    """Put two answers to the same tasks together: of their images, and of their videos."""
    if isinstance(first, Reply) and isinstance(second, Reply):
        pairs = zip(first.body["results"], second.body["results"], strict=True)
        return unprompted_reply([_both(*pair) for pair in pairs])
    pending = [one for one in (first, second) if isinstance(one, PendingReply)]
    futures = [future for one in pending for future in one.futures]

    def reply() -> Reply:
        done = merged(_now(first), _now(second))
        assert isinstance(done, Reply)
        return done

    return PendingReply(futures, reply, max(one.seconds for one in pending))


def _now(one: Reply | PendingReply) -> Reply:
    return one.reply() if isinstance(one, PendingReply) else one


def _both(first: Prediction, second: Prediction) -> Prediction:
    if isinstance(first, list) or isinstance(second, list):
        return first or second
    score = min(first["score"], second["score"])
    return prediction([*first["result"], *second["result"]], score, first["model_version"])
