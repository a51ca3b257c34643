"""Errors as answers: a server function of Gradio swallows what it raises, so nothing may escape."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

from clickmask.decoder import ClickMaskError

log = logging.getLogger(__name__)


def answering(function: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Make a function answer ``{"error": sentence, "kind": class name}`` instead of raising.

    Example:
        >>> def refuse(message):
        ...     raise ClickMaskError("no such picture")
        >>> answering(refuse)({})
        {'error': 'no such picture', 'kind': 'ClickMaskError'}
    """

    @wraps(function)
    def answer(message: dict[str, Any]) -> dict[str, Any]:
        try:
            return function(message)
        except ClickMaskError as error:
            return {"error": str(error), "kind": type(error).__name__}
        except Exception as error:
            log.exception("%s failed", function.__name__)
            return {"error": f"unexpected problem, see the server's log: {error!r}", "kind": "Unexpected"}

    return answer
