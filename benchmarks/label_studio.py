"""Click to answer: at the backend, and through a real Label Studio, in turn.

Run ``python -m benchmarks.label_studio``. It needs the Label Studio that ``make studio`` installs, uses a
database of its own, and stops both servers at the end.
"""

from __future__ import annotations

import os
import random
import tempfile
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from benchmarks.timing import Timing, race
from plugin.labels import label_config
from plugin.studio.client import StudioClient
from plugin.studio.command import open_project
from plugin.studio.install import VERSION, install_label_studio
from plugin.studio.login import load_login
from plugin.studio.photos import sample_photos
from plugin.studio.process import check_port_is_free, running
from plugin.studio.servers import backend_command, label_studio_command

RUNS = 100
PORT, BACKEND_PORT = 18080, 19090


def context(number: int) -> dict[str, Any]:
    """What the page sends for one click somewhere in the middle of the photo."""
    value = {"x": random.uniform(30, 70), "y": random.uniform(30, 70), "width": 0.2, "keypointlabels": ["Animal"]}
    click = {
        "original_width": 502,
        "original_height": 343,
        "image_rotation": 0,
        "value": value,
        "is_positive": True,
        "id": f"click{number}{random.random()}",
        "from_name": "point",
        "to_name": "image",
        "type": "keypointlabels",
        "origin": "manual",
    }
    return {"result": [click]}


def clicks_on(client: StudioClient, backend_url: str, folder: Path) -> dict[str, Callable[[], object]]:
    """The two ways a click can take, on one photo of a new project."""
    config = label_config("polygon")
    project = open_project(client, "Clicks", config, sample_photos(folder)[:1], backend_url)
    task = client.call("GET", "/api/tasks", params={"project": project})["tasks"][0]
    backend = client.call("GET", "/api/ml", params={"project": project})[0]["id"]
    created = datetime.fromisoformat(client.call("GET", f"/api/projects/{project}")["created_at"])
    http = httpx.Client(base_url=backend_url, timeout=60, trust_env=False)

    def at_the_backend() -> None:
        body = {"tasks": [task], "project": f"{project}.{int(created.timestamp())}", "label_config": config}
        http.post("/predict", json=body | {"params": {"context": context(task["id"])}}).raise_for_status()

    def through_label_studio() -> None:
        path = f"/api/ml/{backend}/interactive-annotating"
        answer = client.call("POST", path, json={"task": task["id"], "context": context(task["id"])})
        assert "data" in answer, answer

    return {"at the backend": at_the_backend, "through Label Studio": through_label_studio}


def measure(program: Path, folder: Path) -> Mapping[str, Timing]:
    """Start both servers with their data in ``folder`` and click in turn."""
    login = load_login(folder / "login.json")
    studio = label_studio_command(program, folder, login, PORT, os.environ)
    with running(backend_command(folder, BACKEND_PORT, [], os.environ)), running(studio):
        client = StudioClient(f"http://127.0.0.1:{PORT}", login.token)
        timings = race(clicks_on(client, f"http://127.0.0.1:{BACKEND_PORT}", folder), RUNS, warmup=5)
        client.close()
    return timings


def main() -> None:
    """Print the table."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "clickmask"
    check_port_is_free(PORT, flag="PORT in this file")
    check_port_is_free(BACKEND_PORT, flag="BACKEND_PORT in this file")
    program = install_label_studio(cache / f"label-studio-{VERSION}")
    with tempfile.TemporaryDirectory() as folder:
        timings = measure(program, Path(folder))
    print(f"| {RUNS} clicks on one photo, one by one | p50 [ms] | p95 [ms] |\n|---|---|---|")
    for name, timing in timings.items():
        print(f"| {name} | {timing.median_ms:.0f} | {timing.percentile_ms(0.95):.0f} |")
    share = timings["through Label Studio"].median_ms / timings["at the backend"].median_ms
    print(f"A click takes {share:.1f} times as long through Label Studio as at the backend.")


if __name__ == "__main__":
    main()
