"""The HTTP side of the backend: the routes Label Studio calls, with login, limits, log and metrics.

Requests are answered in worker threads, so the event loop stays free for /health while the
model loads or the device is busy.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import asynccontextmanager, suppress
from time import perf_counter
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from clickmask.decoder import ClickMaskError
from clickmask.plugin.build import Backend
from clickmask.plugin.errors import BackendError, RequestError, TooLargeError
from clickmask.plugin.files.transport import MEGABYTE
from clickmask.plugin.protocol.replies import Later, Reply
from clickmask.plugin.server.workers import Workers
from clickmask.plugin.settings import Settings

_log = logging.getLogger("clickmask.requests")
_OPEN_ROUTES = ("/health",)
_HIDDEN = "the request failed inside the backend; its log tells why"


def make_app(backend: Backend) -> FastAPI:
    """Make the web application of a backend; it begins to load the default model when it starts."""
    settings = backend.settings
    predicting = Workers(settings.workers, settings.max_waiting, settings.predict_seconds)
    noting = Workers(2, settings.max_waiting, settings.predict_seconds)  # /setup and /webhook wait behind no prediction
    backend.metrics.watch("requests_waiting", "Requests that wait for a worker", predicting.waiting)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        backend.engines.start()
        yield
        predicting.close()
        noting.close()
        await asyncio.to_thread(backend.close)

    app = FastAPI(title="ClickMask for Label Studio", lifespan=lifespan, openapi_url=None)
    _watch_requests(app, backend)
    _tell(app, backend)
    _listen(app, backend, predicting, noting)
    return app


def _watch_requests(app: FastAPI, backend: Backend) -> None:
    """Log and count every request."""

    @app.middleware("http")
    async def around(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        start = perf_counter()
        response = await _answered(request, call_next, backend)
        seconds = perf_counter() - start
        route = request.scope["route"].path if "route" in request.scope else "unknown"
        backend.metrics.request(route, response.status_code, seconds)
        _log_line(request, route, response.status_code, 1000 * seconds)
        return response


def _tell(app: FastAPI, backend: Backend) -> None:
    """The routes that say how things are; the event loop answers them by itself."""

    @app.get("/")
    @app.get("/health")
    async def health() -> dict[str, Any]:
        return backend.predictor.health()

    @app.get("/versions")
    @app.post("/versions")
    async def versions() -> dict[str, Any]:
        return backend.predictor.versions()

    @app.get("/metrics")
    async def metrics() -> Response:
        return Response(backend.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")


def _listen(app: FastAPI, backend: Backend, predicting: Workers, noting: Workers) -> None:
    """The routes that Label Studio sends something to."""
    predictor, settings = backend.predictor, backend.settings

    @app.post("/setup")
    async def setup(request: Request) -> Response:
        body = await _body(request, settings)
        return await noting.run(lambda: _json(predictor.setup(_read(body))))

    @app.post("/predict")
    async def predict(request: Request) -> Response:
        body = await _body(request, settings)

        def begin() -> Response | Later:
            answer = predictor.begin(_read(body))
            return answer if isinstance(answer, Later) else written(answer)

        def written(reply: Reply) -> Response:
            request.state.notes = reply.notes
            return _json(reply.body)

        answer = await predicting.run(begin)
        if isinstance(answer, Later):
            later = answer
            await _wait(later.futures, settings.track_seconds)  # in no thread: nobody's click waits behind a video
            return await predicting.run(lambda: written(later.reply()))
        return answer

    @app.post("/webhook")
    async def webhook(request: Request) -> Response:
        body = await _body(request, settings)

        def record() -> Response:
            payload = _read(body)
            event = str(payload.get("action") or "") if isinstance(payload, Mapping) else ""
            request.state.notes = predictor.fit(event, payload)
            return _json(request.state.notes)

        return await noting.run(record)


async def _answered(
    request: Request, call_next: Callable[[Request], Awaitable[Response]], backend: Backend
) -> Response:
    """The response, errors included."""
    settings = backend.settings
    if request.url.path not in _OPEN_ROUTES and not _may_enter(request, settings):
        return _problem(401, "wanted a user name and password (Basic)", {"WWW-Authenticate": 'Basic realm="clickmask"'})
    try:
        return await call_next(request)
    except ClickMaskError as error:
        backend.metrics.error(error)
        request.state.notes = {"error": str(error)}
        return _problem(error.status if isinstance(error, BackendError) else 400, str(error))
    except Exception as error:
        backend.metrics.error(error)
        _log.exception("%s %s failed", request.method, request.url.path)
        return _problem(500, _HIDDEN)


def _log_line(request: Request, route: str, status: int, milliseconds: float) -> None:
    """One line per request, whatever a client put into it."""
    notes = " ".join(f"{name}={value}" for name, value in getattr(request.state, "notes", {}).items())
    line = f"{request.method} {request.url.path} {status} {milliseconds:.1f} ms {notes}"
    level = logging.DEBUG if route in ("/health", "/metrics") else logging.INFO
    _log.log(level, "%s", line.replace("\r", "\\r").replace("\n", "\\n"))


def _problem(status: int, message: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"error": message}, status_code=status, headers=dict(headers or {}))


def _may_enter(request: Request, settings: Settings) -> bool:
    if not settings.basic_auth_user:
        return True
    kind, _, code = request.headers.get("authorization", "").partition(" ")
    try:
        given = base64.b64decode(code, validate=True) if kind.lower() == "basic" else b""
    except binascii.Error:
        return False
    return any(hmac.compare_digest(given, wanted) for wanted in _passwords(settings))


def _passwords(settings: Settings) -> Iterator[bytes]:
    """User and password as browsers write them, and as Label Studio does: in Latin-1 where that has the letters."""
    text = f"{settings.basic_auth_user}:{settings.basic_auth_pass}"
    yield text.encode()
    with suppress(UnicodeEncodeError):
        yield text.encode("latin-1")


async def _wait(futures: Sequence[Future[None]], seconds: float) -> None:
    """Wait until all are done, or the time is over."""
    loop, ended = asyncio.get_running_loop(), asyncio.Event()

    def look(_: Future[None]) -> None:
        if all(future.done() for future in futures) and not loop.is_closed():
            loop.call_soon_threadsafe(ended.set)

    for future in futures:
        future.add_done_callback(look)
    with suppress(TimeoutError):
        await asyncio.wait_for(ended.wait(), seconds)


async def _body(request: Request, settings: Settings) -> bytes:
    """The request's body; read no further than the limit."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > settings.max_request_mb * MEGABYTE:
            raise TooLargeError(f"the request is larger than {settings.max_request_mb} MB")
    return bytes(body)


def _read(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RequestError(f"the request's body is no JSON: {error}") from error


def _json(content: Mapping[str, Any]) -> Response:
    """Written in the thread that made the content: a mask is tens of thousands of numbers."""
    return Response(json.dumps(content), media_type="application/json")
