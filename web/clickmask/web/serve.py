"""The running server: Gradio behind its guards, until somebody ends it."""

from __future__ import annotations

import logging
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

import gradio as gr
from gradio_client import Client
from starlette.middleware import Middleware

from clickmask.bounded_connections import bounded_by_default
from clickmask.decoder import ClickMaskError
from clickmask.web.app_guard import AppGuard
from clickmask.web.login import LoginGuard, People, Tries
from clickmask.web.options import Options
from clickmask.web.page_files import ICON, STYLES, page_files
from clickmask.web.safe_headers import SafeHeaders
from clickmask.web.start import LARGEST_UPLOAD_MB, Services

log = logging.getLogger(__name__)
ENDING = (signal.SIGINT, signal.SIGTERM)


def serve(demo: gr.Blocks, options: Options, services: Services) -> None:
    """Serve until interrupted, then put everything on disk; nothing outside this machine is contacted.

    Raises:
        ClickMaskError: If the port is taken.
    """
    try:
        launch(demo, options, services.photos.library.gate.roots, prevent_thread_lock=True)
    except OSError as error:
        raise ClickMaskError(f"cannot serve on {options.host}, port {options.port or 'any'}: {error}") from error
    if not demo.is_running:  # Gradio runs the script again to rebuild the page
        return
    with ended_by_a_signal() as ended:
        while demo.is_running and not ended.wait(1.0):
            services.rest()
    demo.close(verbose=False)
    services.close()


def launch(demo: gr.Blocks, options: Options, roots: Sequence[Path], **more: Any) -> None:
    """Start to serve; Gradio makes the server, so the limits on its connections are named where it finds them."""
    with bounded_by_default():
        _launch(demo, options, roots, **more)
    if options.auth and demo.is_running:
        Thread(target=_let_agents_in, args=(demo, options.auth[0]), daemon=True, name="agents").start()


def _launch(demo: gr.Blocks, options: Options, roots: Sequence[Path], **more: Any) -> None:
    demo.launch(
        server_name=options.host,
        server_port=options.port,
        auth=list(options.auth) or None,
        auth_message="ClickMask" if options.auth else None,
        allowed_paths=[str(path) for path in (*roots, options.home)],
        app_kwargs={"middleware": guards(options), "routes": [page_files()]},
        max_file_size=f"{LARGEST_UPLOAD_MB}mb",
        css_paths=list(STYLES),
        theme=gr.themes.Base(primary_hue="blue", neutral_hue="zinc", font=["system-ui", "sans-serif"]),
        favicon_path=ICON,
        mcp_server=True,
        ssr_mode=False,
        share=False,
        show_error=True,
        _frontend=False,  # do not give up when the server's first answer takes more than 3 s
        footer_links=[],
        run_history=False,
        **more,
    )


def guards(options: Options) -> list[Middleware]:
    """What stands before Gradio, the outermost first."""
    hosts = (*options.allowed_hosts, options.host)
    standing = [
        Middleware(SafeHeaders),
        Middleware(AppGuard, hosts=hosts),
    ]
    if options.auth:
        standing.append(Middleware(LoginGuard, people=People(dict(options.auth)), tries=Tries()))
    return standing


@contextmanager
def ended_by_a_signal() -> Iterator[Event]:
    """Give an event that Ctrl C and SIGTERM set, in place of what they did before."""
    ended = Event()
    before = {number: signal.signal(number, lambda *_: ended.set()) for number in ENDING}
    try:
        yield ended
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _let_agents_in(demo: gr.Blocks, login: tuple[str, str]) -> None:
    """Give Gradio's MCP server a login: it asks the app over HTTP, and has none of its own.

    Agents have shown theirs to ``LoginGuard`` before.
    """
    try:
        demo.mcp_server_obj._client_instance = Client(
            demo.local_url, auth=login, download_files=False, verbose=False, analytics_enabled=False, ssl_verify=False,
            _skip_components=False, headers={"x-gradio-user": "mcp"},
        )  # fmt: skip
    except Exception:
        log.exception("agents cannot use the tools")
