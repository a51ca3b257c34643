"""What the browser may do with the app's answers: a content security policy, and files that are no pages.

Plain ASGI. Gradio shows any file below a root as what its suffix says; an HTML or SVG file in a data set would
run as the app's own page.
"""

from __future__ import annotations

from clickmask.asgi_guard import App, Message, Receive, Scope, Send
from clickmask.web.app_guard import answer

POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",  # Gradio builds its page from text
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "media-src 'self' data: blob:",
        "font-src 'self' data:",
        "worker-src 'self' blob:",
        "connect-src 'self' data: blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'self'",
    )
)
FILE_POLICY = "default-src 'none'; sandbox"
FILES = "/file="
FETCHING = ("/file=http:", "/file=https:", "/proxy=")  # Gradio would fetch an address for whoever asks
SHOWN = ("image/", "video/", "audio/", "text/javascript", "text/css", "application/javascript")


class SafeHeaders:
    """ASGI application that adds the headers to what another answers.

    Args:
        app: The application behind.
    """

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, unless it asks to fetch what lies outside this machine."""
        path = str(scope.get("path", ""))
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if any(fetching in path for fetching in FETCHING):
            await answer(send, 403, "nothing outside this machine is fetched")
            return

        async def safer(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = _safer(list(message["headers"]), is_file=FILES in path)
            await send(message)

        await self._app(scope, receive, safer)


def _safer(headers: list[tuple[bytes, bytes]], *, is_file: bool) -> list[tuple[bytes, bytes]]:
    kind = next((value for key, value in headers if key.lower() == b"content-type"), b"").decode("latin-1").lower()
    added = [(b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"same-origin")]
    if not is_file:
        return [*headers, *added, (b"content-security-policy", POLICY.encode())]
    added.append((b"content-security-policy", FILE_POLICY.encode()))
    if kind.startswith(SHOWN) and "svg" not in kind:
        return [*headers, *added]
    kept = [(key, value) for key, value in headers if key.lower() not in {b"content-type", b"content-disposition"}]
    return [*kept, *added, (b"content-type", b"application/octet-stream"), (b"content-disposition", b"attachment")]
