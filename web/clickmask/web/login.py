"""Who may use the app: passwords, the pause after wrong ones, and the login of agents.

Plain ASGI around Gradio's own login page, which knows neither pauses nor agents.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import time
from collections.abc import Callable, Mapping

from clickmask.asgi_guard import App, Message, Receive, Scope, Send
from clickmask.web.app_guard import answer

FREE_TRIES = 5  # wrong passwords from one address before it has to wait
LONGEST_PAUSE_S = 60.0
FORGOTTEN_S = 600.0  # after which wrong passwords no longer count
MOST_ADDRESSES = 10_000
LOGIN = "/login"
AGENTS = "/gradio_api/mcp"


class People:
    """Names and passwords.

    Args:
        passwords: By name.
    """

    def __init__(self, passwords: Mapping[str, str]) -> None:
        self._passwords = dict(passwords)

    def knows(self, name: str, password: str) -> bool:
        """Whether the password is this person's; takes as long for a wrong one as for a right one."""
        wanted = self._passwords.get(name)
        same = hmac.compare_digest(password.encode("utf-8", "replace"), (wanted or "").encode())
        return same and wanted is not None


class Tries:
    """Wrong passwords by address, and how long each has to wait.

    Args:
        clock: Seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._wrong: dict[str, tuple[int, float]] = {}  # how many, and when the last

    def pause(self, address: str) -> float:
        """Return how long an address has to wait before it may try again [s]."""
        count, last = self._wrong.get(address, (0, 0.0))
        if count < FREE_TRIES:
            return 0.0
        wanted = min(LONGEST_PAUSE_S, 2.0 ** (count - FREE_TRIES))
        return max(0.0, last + wanted - self._clock())

    def was_wrong(self, address: str) -> None:
        """Count a wrong password."""
        now = self._clock()
        self._wrong = {key: known for key, known in self._wrong.items() if now - known[1] < FORGOTTEN_S}
        if len(self._wrong) < MOST_ADDRESSES:
            self._wrong[address] = (self._wrong.get(address, (0, 0.0))[0] + 1, now)

    def was_right(self, address: str) -> None:
        """Forget an address's wrong passwords."""
        self._wrong.pop(address, None)


class LoginGuard:
    """ASGI application that slows down wrong logins and asks agents for theirs.

    Agents, which come to the MCP address, send name and password as HTTP basic authentication.

    Args:
        app: The application behind.
        people: Who may come in.
        tries: Wrong passwords so far.
    """

    def __init__(self, app: App, *, people: People, tries: Tries) -> None:
        self._app = app
        self._people = people
        self._tries = tries

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on if it may."""
        path = str(scope.get("path", "")).rstrip("/")
        is_agent = path == AGENTS or path.startswith(f"{AGENTS}/")
        is_login = path.endswith(LOGIN) and scope.get("method") == "POST"
        if scope["type"] != "http" or not (is_agent or is_login):
            await self._app(scope, receive, send)
            return
        address = (scope.get("client") or ("", 0))[0]
        pause = self._tries.pause(address)
        if pause > 0:
            wait = str(int(pause) + 1)
            text = f"too many wrong passwords from {address}: wait {wait} s"
            await answer(send, 429, text, (b"retry-after", wait.encode()))
        elif is_agent:
            await self._agent(address, scope, receive, send)
        else:
            await self._app(scope, receive, self._watching(address, send))

    async def _agent(self, address: str, scope: Scope, receive: Receive, send: Send) -> None:
        given = _credentials(scope)
        if given is not None and self._people.knows(*given):
            self._tries.was_right(address)
            await self._app(scope, receive, send)
            return
        if given is not None:
            self._tries.was_wrong(address)
        header = (b"www-authenticate", b'Basic realm="ClickMask", charset="UTF-8"')
        await answer(send, 401, "name and password are wanted, as HTTP basic authentication", header)

    def _watching(self, address: str, send: Send) -> Send:
        async def watching(message: Message) -> None:
            if message["type"] == "http.response.start":
                right = message["status"] < 400
                (self._tries.was_right if right else self._tries.was_wrong)(address)
            await send(message)

        return watching


def _credentials(scope: Scope) -> tuple[str, str] | None:
    """Name and password of HTTP basic authentication, if they were sent."""
    header = next((value for key, value in scope["headers"] if key.lower() == b"authorization"), b"")
    kind, _, code = header.decode("latin-1").partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        name, _, password = base64.b64decode(code, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return None
    return name, password
