"""The app as it is served, in this process: real requests, real guards, the model in the box."""

from __future__ import annotations

import contextlib
import gc
import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import httpx

from clickmask.web.app import build_app
from clickmask.web.options import Options
from clickmask.web.serve import launch
from clickmask.web.start import Services
from tests.ports import free_port


@contextlib.contextmanager
def served(services: Services, home: Path, **options: Any) -> Iterator[tuple[gr.Blocks, str]]:
    """Serve; gives the page and its address."""
    port = free_port()
    chosen = Options(
        roots=services.photos.library.gate.roots,
        home=home,
        model="nano",
        device="cpu",
        precision="float32",
        image_side=None,
        host="127.0.0.1",
        port=port,
        **{"auth": (), **options},
    )
    demo = build_app(services)
    launch(demo, chosen, chosen.roots, prevent_thread_lock=True, quiet=True)
    try:
        yield demo, f"http://127.0.0.1:{port}"
    finally:
        demo.close(verbose=False)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Gradio leaves its loops to the garbage collector
            del demo
            gc.collect()


class Caller:
    """Calls what the running app offers, with any arguments."""

    def __init__(self, demo: gr.Blocks, url: str) -> None:
        (self._page,) = [block for block in demo.blocks.values() if getattr(block, "server_fns", None)]
        self.functions = {function.__name__: function for function in self._page.server_fns}
        self._http = httpx.Client(base_url=url, timeout=120)
        self.endpoints = self._http.get("/gradio_api/info").json()["named_endpoints"]

    def ask(self, function: str, message: dict[str, Any]) -> str:
        """What the page's function answers, as text."""
        body = {"session_hash": "abc", "component_id": self._page._id, "fn_name": function, "data": message}
        return self._http.post("/gradio_api/component_server", json=body).text

    def call(self, endpoint: str, arguments: list[Any]) -> str:
        """What an endpoint for programs answers, as text."""
        begun = self._http.post(f"/gradio_api/call{endpoint}", json={"data": arguments})
        if begun.status_code != 200:
            return begun.text
        return self._http.get(f"/gradio_api/call{endpoint}/{json.loads(begun.text)['event_id']}").text

    def close(self) -> None:
        """End the connections."""
        self._http.close()


def write_status(url: str, root: str) -> None:
    """Open a folder of another process's app and skip its first picture."""
    with httpx.Client(base_url=url, timeout=120) as http:
        (page,) = [one["id"] for one in http.get("/config").json()["components"] if one["type"] == "html"]
        for function, data in (
            ("open_folder", {"folder": root}),
            ("set_status", {"folder": root, "picture": 1, "status": "skipped"}),
        ):
            body = {"session_hash": "abc", "component_id": page, "fn_name": function, "data": data}
            said = http.post("/gradio_api/component_server", json=body).json()
            assert "error" not in said, said
