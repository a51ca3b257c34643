"""The one user name and password that requests must carry, if any."""

from __future__ import annotations

import asyncio
import base64
import hmac
from contextlib import suppress
from dataclasses import dataclass

_SECONDS_AFTER_WRONG = 1.0


@dataclass(frozen=True, slots=True)
class Login:
    """Basic authentication.

    Args:
        user: The name; "" where nobody is asked.
        password: What goes with it.
    """

    user: str
    password: str

    @property
    def is_wanted(self) -> bool:
        """Whether anybody is asked."""
        return bool(self.user)

    async def accepts(self, header: str) -> bool:
        """Tell whether an Authorization header may enter; a wrong one is told so slowly, or it could be guessed."""
        if not self.is_wanted:
            return True
        kind, _, code = header.partition(" ")
        try:
            given = base64.b64decode(code, validate=True) if kind.lower() == "basic" else b""
        except ValueError:  # binascii.Error, and letters beyond ASCII
            given = b""
        if any(hmac.compare_digest(given, wanted) for wanted in self._written()):
            return True
        if header:
            await asyncio.sleep(_SECONDS_AFTER_WRONG)
        return False

    def _written(self) -> list[bytes]:
        """User and password as browsers write them, and as Label Studio does: in Latin-1 where that has the letters."""
        text = f"{self.user}:{self.password}"
        written = [text.encode()]
        with suppress(UnicodeEncodeError):
            written.append(text.encode("latin-1"))
        return written
