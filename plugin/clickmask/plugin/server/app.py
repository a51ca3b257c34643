"""The HTTP side of the backend: the routes Label Studio calls, with login, limits, log and metrics.

Requests are answered in worker threads, so the event loop stays free for /health while the
model loads or the device is busy.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import asynccontextmanager, suppress
from time import perf_counter
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from clickmask.asgi_guard import ANY_HOST, Guard
from clickmask.decoder import ClickMaskError
from clickmask.plugin.build import Backend
from clickmask.plugin.errors import BackendError, RequestError
from clickmask.plugin.protocol.replies import PendingReply, Reply
from clickmask.plugin.server.bodies import Bodies
from clickmask.plugin.server.failures import forget_frames, one_line
from clickmask.plugin.server.login import Login
from clickmask.plugin.server.workers import Workers
from clickmask.plugin.status.page import CONTENT_SECURITY_POLICY, status_page
from clickmask.plugin.status.recent_errors import RecentErrors
from clickmask.plugin.status.status import background_work, read_status

Handler = Callable[[Request], Awaitable[Response]]

_log = logging.getLogger("clickmask.requests")
_OPEN_ROUTES = ("/health",)
_HIDDEN = "the request failed inside the backend; its log tells why"


def make_app(backend: Backend) -> Starlette:
    """Make the web application of a backend; it begins to load the default model when it starts."""
    return _Server(backend).app()


class _Server:
    """Routes, workers and log of one backend."""

    def __init__(self, backend: Backend) -> None:
        settings = backend.settings
        self._backend = backend
        self._settings = settings
        self._login = Login(settings.basic_auth_user, settings.basic_auth_pass)
        self._predicting = Workers(settings.workers, settings.max_waiting, settings.predict_seconds)
        self._errors = RecentErrors()
        self._bodies = Bodies(settings.max_request_mb)
        # /setup and /webhook wait behind no prediction
        self._recording = Workers(2, settings.max_waiting, settings.predict_seconds)
        backend.metrics.watch("requests_waiting", "Requests that wait for a worker", self._predicting.waiting)

    def app(self) -> Starlette:
        """The application: one answered route after the other, behind the guard."""
        hosts = frozenset({ANY_HOST}) if self._login.is_wanted else frozenset(self._settings.allowed_hosts)
        routes = [
            self._route("/", self._status, "GET"),
            self._route("/cancel", self._cancel, "POST"),
            self._route("/health", self._health, "GET"),
            self._route("/versions", self._versions, "GET", "POST"),
            self._route("/metrics", self._metrics, "GET"),
            self._route("/setup", self._setup, "POST"),
            self._route("/predict", self._predict, "POST"),
            self._route("/webhook", self._webhook, "POST"),
        ]
        return Starlette(
            routes=routes,
            middleware=[Middleware(Guard, allowed_hosts=hosts)],
            exception_handlers={HTTPException: self._no_route},
            lifespan=self._lifespan,
        )

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        self._backend.engines.start()
        yield
        for workers in (self._predicting, self._recording):
            workers.close()
        await asyncio.to_thread(self._backend.close)

    def _route(self, path: str, handler: Handler, *methods: str) -> Route:
        """A route whose requests are logged and counted, and whose errors are answered."""

        async def endpoint(request: Request) -> Response:
            start = perf_counter()
            response = await self._answered(request, handler)
            seconds = perf_counter() - start
            self._backend.metrics.request(path, response.status_code, seconds)
            _log_request(request, path, response.status_code, 1000 * seconds)
            return response

        return Route(path, endpoint, methods=list(methods))

    async def _answered(self, request: Request, handler: Handler) -> Response:
        """The response, errors included."""
        if request.url.path not in _OPEN_ROUTES and not await self._login.accepts(
            request.headers.get("authorization", "")
        ):
            ask = {"WWW-Authenticate": 'Basic realm="clickmask"'}
            return JSONResponse({"error": "wanted a user name and password (Basic)"}, 401, ask)
        try:
            return await handler(request)
        except ClientDisconnect:
            request.state.log_fields = {"error": "the client left before its request was complete"}
            return Response(status_code=400)
        except ClickMaskError as error:
            self._backend.metrics.error(error)
            self._errors.add(request.url.path, str(error))
            request.state.log_fields = {"error": str(error)}
            forget_frames(error)
            return JSONResponse({"error": str(error)}, error.status if isinstance(error, BackendError) else 400)
        except Exception as error:
            self._backend.metrics.error(error)
            _log.exception("%s %s failed", request.method, one_line(request.url.path))
            self._errors.add(request.url.path, f"{_HIDDEN} ({type(error).__name__})")
            forget_frames(error)
            return JSONResponse({"error": _HIDDEN}, 500)
        finally:
            self._bodies.forget(request)

    async def _no_route(self, request: Request, error: Exception) -> Response:
        """An address or a method that the backend does not have."""
        status = error.status_code if isinstance(error, HTTPException) else 500
        self._backend.metrics.request("unknown", status, 0.0)
        _log_request(request, "unknown", status, 0.0)
        return JSONResponse({"error": f"{request.method} here is none of this backend's calls"}, status)

    async def _health(self, _: Request) -> Response:
        return JSONResponse(self._backend.predictor.health())

    async def _status(self, request: Request) -> Response:
        """A page for a person, the state of the models for a program."""
        if "text/html" not in request.headers.get("accept", ""):
            return await self._health(request)
        waiting = self._predicting.waiting() + self._recording.waiting()
        status = await asyncio.to_thread(read_status, self._backend, self._errors, waiting)
        return HTMLResponse(status_page(status), headers={"Content-Security-Policy": CONTENT_SECURITY_POLICY})

    async def _cancel(self, request: Request) -> Response:
        """Stop the background work that the status page names."""
        wanted = _read(await self._bodies.read(request))
        name = wanted.get("work") if isinstance(wanted, Mapping) else None
        found = next((work for work in background_work(self._backend) if work.id == name), None)
        if found is None:
            raise RequestError(f"nothing called {str(name)[:100]!r} is at work: it may have ended")
        found.cancel()
        return JSONResponse({"cancelled": found.what})

    async def _versions(self, _: Request) -> Response:
        return JSONResponse(self._backend.predictor.versions())

    async def _metrics(self, _: Request) -> Response:
        return Response(self._backend.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    async def _setup(self, request: Request) -> Response:
        body = await self._bodies.read(request)
        return await self._recording.run(lambda: _json(self._backend.predictor.setup(_read(body))))

    async def _predict(self, request: Request) -> Response:
        body = await self._bodies.read(request)

        def written(reply: Reply) -> Response:
            request.state.log_fields = reply.log_fields
            return _json(reply.body)

        def begin() -> Response | PendingReply:
            answer = self._backend.predictor.begin(_read(body))
            return answer if isinstance(answer, PendingReply) else written(answer)

        answer = await self._predicting.run(begin)
        if isinstance(answer, PendingReply):
            pending = answer
            await _wait(pending.futures, pending.seconds)  # in no thread: nobody's click waits behind it
            return await self._predicting.run(lambda: written(pending.reply()))
        return answer

    async def _webhook(self, request: Request) -> Response:
        body = await self._bodies.read(request)

        def record() -> Response:
            payload = _read(body)
            event = str(payload.get("action") or "") if isinstance(payload, Mapping) else ""
            request.state.log_fields = self._backend.predictor.fit(event, payload)
            return _json(request.state.log_fields)

        return await self._recording.run(record)


def _log_request(request: Request, route: str, status: int, milliseconds: float) -> None:
    """One line per request, whatever a client put into it."""
    fields = " ".join(f"{name}={value}" for name, value in getattr(request.state, "log_fields", {}).items())
    line = f"{request.method} {request.url.path} {status} {milliseconds:.1f} ms {fields}"
    level = logging.DEBUG if route in ("/health", "/metrics") else logging.INFO
    _log.log(level, "%s", one_line(line))


async def _wait(futures: Sequence[Future[Any]], seconds: float) -> None:
    """Wait until all are done, or the time is over."""
    loop, ended = asyncio.get_running_loop(), asyncio.Event()

    def look(_: Future[Any]) -> None:
        if all(future.done() for future in futures) and not loop.is_closed():
            loop.call_soon_threadsafe(ended.set)

    for future in futures:
        future.add_done_callback(look)
    with suppress(TimeoutError):
        await asyncio.wait_for(ended.wait(), seconds)


def _read(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RequestError(f"the request's body is no JSON: {error}") from error


def _json(content: Mapping[str, Any]) -> Response:
    """Written in the thread that made the content: a mask is tens of thousands of numbers."""
    return Response(json.dumps(content), media_type="application/json")
