"""What a failed request leaves behind: one line in the log, and nothing in memory."""

from __future__ import annotations

import logging
import traceback


def forget_frames(error: BaseException) -> None:
    """Let go of what the frames of an error and of its causes hold.

    An error, its traceback, its frames and a future form a circle that only a full collection frees, and with it
    the request's whole body.
    """
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is not None and id(one) not in seen:
            seen.add(id(one))
            traceback.clear_frames(one.__traceback__)
            waiting += [one.__cause__, one.__context__]
            one.__traceback__ = None


class OneLineFormatter(logging.Formatter):
    """Writes every message as one line, whatever a client or a server put into it; tracebacks stay as they are."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the standard library's name
        """Write a record's line."""
        return one_line(super().formatMessage(record))


def one_line(text: str) -> str:
    """Write text so that no character of it steers a terminal or begins a line of its own.

    Example:
        >>> one_line("a\\nb \\x1b[2J caf\\u00e9")
        'a\\\\nb \\\\x1b[2J caf\u00e9'
    """
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)
