"""What a request to the app must be: from its own pages or from a program, JSON, and not too large.

Plain ASGI. Uploads and logins are forms, all else is JSON. A page of others may not read either: Gradio lets
pages of any origin read what the server answers once it has another name than localhost.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from clickmask.asgi_guard import App, Guard, Message, Receive, Scope, Send

FORM_PATHS = ("/upload", "/login")
FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")
PATIENCE_S = 60.0  # with a body of which nothing more comes
LARGEST_JSON = 32 * 2**20  # [bytes]: the masks of a picture take a few


class AppGuard:
    """ASGI application that lets requests through to another.

    Args:
        app: The application behind.
        hosts: Names the app is reached by, see ``Guard``.
    """

    def __init__(self, app: App, *, hosts: Iterable[str] = ()) -> None:
        known = frozenset(host.lower() for host in hosts)
        self._json = Guard(_Limited(app), known)
        self._forms = Guard(app, known, FORMS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer what is wrong with it."""
        guard = self._forms if str(scope.get("path", "")).rstrip("/").endswith(FORM_PATHS) else self._json
        if _signs_out_from_elsewhere(scope):
            await answer(send, 403, "signing out is asked for by a page of others")
            return
        if scope["type"] == "http" and any(key.lower() == b"origin" for key, _ in scope["headers"]):
            refusal = guard.refusal({**scope, "type": "http", "method": "POST"})  # reading across is as bad as writing
            if refusal is not None:
                await answer(send, refusal.status, refusal.reason)
                return
        await guard(scope, receive, send)


def _signs_out_from_elsewhere(scope: Scope) -> bool:
    """Whether a page of others signs a person out: that takes a mere picture whose address is /logout."""
    is_logout = scope["type"] == "http" and str(scope["path"]).rstrip("/").endswith("/logout")
    return is_logout and dict(scope["headers"]).get(b"sec-fetch-site") in {b"cross-site", b"same-site"}


class _Limited:
    """Gives up on a body that is larger than ``LARGEST_JSON``, whatever it says of itself."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        told = dict(scope.get("headers", ())).get(b"content-length", b"0")
        if told.isdigit() and int(told) > LARGEST_JSON:
            await answer(send, 413, f"the body has {int(told)} bytes, wanted at most {LARGEST_JSON}")
            return
        read, more = 0, True

        async def counted() -> Message:
            nonlocal read, more
            try:  # whoever sends half a body does not keep its memory for ever
                message = await asyncio.wait_for(receive(), PATIENCE_S if more else None)
            except TimeoutError:
                return {"type": "http.disconnect"}
            more = bool(message.get("more_body", False))
            read += len(message.get("body", b""))
            return message if read <= LARGEST_JSON else {"type": "http.disconnect"}

        await self._app(scope, counted, send)


async def answer(send: Send, status: int, text: str, *headers: tuple[bytes, bytes]) -> None:
    """Answer a request with a sentence."""
    body = text.encode()
    usual = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": [*headers, *usual]})
    await send({"type": "http.response.body", "body": body})
