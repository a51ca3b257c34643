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
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from time import perf_counter
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from decoder import ClickMaskError
from plugin.build import Backend
from plugin.errors import BackendError, BusyError, RequestError, TooLargeError
from plugin.predictor import Reply
from plugin.settings import Settings
from plugin.transport import MEGABYTE

_log = logging.getLogger("clickmask.requests")
_OPEN_ROUTES = ("/health",)
_HIDDEN = "the request failed inside the backend; its log tells why"


def make_app(backend: Backend) -> FastAPI:
    """Make the web application of a backend; it begins to load the default model when it starts."""
    predictor, settings = backend.predictor, backend.settings
    predictions = Workers(settings.workers, settings.max_waiting, settings.predict_seconds)
    notes = Workers(2, settings.max_waiting, settings.predict_seconds)  # /setup and /webhook wait behind no prediction

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        backend.engines.start()
        yield
        predictions.close()
        notes.close()
        await asyncio.to_thread(backend.close)

    app = FastAPI(title="ClickMask for Label Studio", lifespan=lifespan, openapi_url=None)
    backend.metrics.watch("requests_waiting", "Requests that wait for a worker", predictions.waiting)

    @app.middleware("http")
    async def around(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        start = perf_counter()
        response = await _answered(request, call_next, backend)
        seconds = perf_counter() - start
        route = request.scope["route"].path if "route" in request.scope else "unknown"
        backend.metrics.request(route, response.status_code, seconds)
        _log_line(request, route, response.status_code, 1000 * seconds)
        return response

    @app.get("/")
    @app.get("/health")
    async def health() -> dict[str, Any]:
        return predictor.health()

    @app.get("/versions")
    @app.post("/versions")
    async def versions() -> dict[str, Any]:
        return predictor.versions()

    @app.get("/metrics")
    async def metrics() -> Response:
        return Response(backend.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    @app.post("/setup")
    async def setup(request: Request) -> dict[str, Any]:
        body = await _json(request, settings)
        answer: dict[str, Any] = await notes.run(lambda: predictor.setup(body))
        return answer

    @app.post("/predict")
    async def predict(request: Request) -> dict[str, Any]:
        body = await _json(request, settings)
        reply: Reply = await predictions.run(lambda: predictor.predict(body))
        request.state.notes = reply.notes
        return reply.body

    @app.post("/webhook")
    async def webhook(request: Request) -> dict[str, Any]:
        body = await _json(request, settings)
        event = str(body.get("action") or "") if isinstance(body, Mapping) else ""
        done: dict[str, Any] = await notes.run(lambda: predictor.fit(event, body))
        request.state.notes = done
        return done

    return app


class Workers:
    """A bounded number of threads with a bounded queue before them and a limit on each answer's time.

    Args:
        count: Requests answered at the same time.
        waiting: Requests that may wait.
        seconds: Longest answer.
    """

    def __init__(self, count: int, waiting: int, seconds: float) -> None:
        self._seconds = seconds
        self._most = count + waiting
        self._workers = count
        self._pool = ThreadPoolExecutor(count, "request")
        self._inside = 0  # touched by the event loop's thread only

    async def run(self, work: Callable[[], Any]) -> Any:
        """Run work in a thread.

        Raises:
            BusyError: If too many wait already, or it takes too long; what it began is finished
                all the same, so that trying again is quick.
        """
        if self._inside >= self._most:
            raise BusyError(f"{self._inside} requests are being answered or wait, wanted at most {self._most}")
        self._inside += 1
        future = asyncio.get_running_loop().run_in_executor(self._pool, work)
        future.add_done_callback(self._done)
        try:
            return await asyncio.wait_for(asyncio.shield(future), self._seconds)
        except TimeoutError as error:
            future.add_done_callback(_forget)
            raise BusyError(f"the answer takes longer than {self._seconds:g} s: try again in a while") from error

    def waiting(self) -> int:
        """How many requests wait for a thread."""
        return max(0, self._inside - self._workers)

    def close(self) -> None:
        """Take no more work; what runs is finished."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _done(self, _: object) -> None:
        self._inside -= 1


def _forget(future: asyncio.Future[Any]) -> None:
    """Nobody waits for this answer any more: look at its error, so that asyncio does not complain."""
    if not future.cancelled():
        future.exception()


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
    wanted = f"{settings.basic_auth_user}:{settings.basic_auth_pass}".encode()
    return hmac.compare_digest(given, wanted)


async def _json(request: Request, settings: Settings) -> Any:
    """The request's body; read no further than the limit."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > settings.max_request_mb * MEGABYTE:
            raise TooLargeError(f"the request is larger than {settings.max_request_mb} MB")
    try:
        return await asyncio.to_thread(json.loads, bytes(body))
    except ValueError as error:
        raise RequestError(f"the request's body is no JSON: {error}") from error
