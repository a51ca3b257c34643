"""Click to answer through a real Label Studio, beside all that ``benchmarks.backend`` measures: one table.

Run ``python -m benchmarks.label_studio``. It needs the Label Studio that ``make studio`` installs, uses a
database of its own, and stops all servers at the end.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from pathlib import Path

from benchmarks.backend import COLD_CLICKS, FLAGS, LABELS, WARM_CLICKS, Rows, context, measure, print_rows
from benchmarks.timing import Timing
from plugin.labels import label_config
from plugin.studio.client import StudioClient
from plugin.studio.command import open_project
from plugin.studio.install import VERSION, install_label_studio
from plugin.studio.login import load_login
from plugin.studio.photos import sample_photos
from plugin.studio.process import check_port_is_free, running
from plugin.studio.servers import backend_command, label_studio_command

PORT, BACKEND_PORT = 18080, 19090


def through_label_studio(program: Path, folder: Path, photo: Path) -> Rows:
    """Start both servers with their data in ``folder`` and click as the page does: first on each task, then again."""
    login = load_login(folder / "login.json")
    studio = label_studio_command(program, folder, login, PORT, os.environ)
    with running(backend_command(folder, BACKEND_PORT, FLAGS, os.environ)), running(studio):
        client = StudioClient(f"http://127.0.0.1:{PORT}", login.token)
        copies = [Path(shutil.copy(photo, folder / f"{number}{photo.suffix}")) for number in range(COLD_CLICKS + 1)]
        project = open_project(client, "Clicks", label_config(LABELS), copies, f"http://127.0.0.1:{BACKEND_PORT}")
        page = {"project": project, "page_size": len(copies)}
        first, *tasks = (int(task["id"]) for task in client.call("GET", "/api/tasks", params=page)["tasks"])
        backend = int(client.call("GET", "/api/ml", params={"project": project})[0]["id"])
        click(client, backend, first)  # both servers are warmed up now
        cold = [click(client, backend, task) for task in tasks]
        warm = [click(client, backend, tasks[turn % len(tasks)]) for turn in range(WARM_CLICKS)]
        client.close()
    return {
        "through Label Studio, first click on an image": Timing(tuple(sorted(cold))),
        "through Label Studio, later clicks": Timing(tuple(sorted(warm))),
    }


def click(client: StudioClient, backend: int, task: int) -> float:
    """Click once; the time to the whole answer [s]."""
    start = time.perf_counter()
    body = {"task": task, "context": context()}
    answer = client.call("POST", f"/api/ml/{backend}/interactive-annotating", json=body)
    assert "data" in answer, answer
    return time.perf_counter() - start


def main() -> None:
    """Print the table."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "clickmask"
    check_port_is_free(PORT, flag="PORT in this file")
    check_port_is_free(BACKEND_PORT, flag="BACKEND_PORT in this file")
    program = install_label_studio(cache / f"label-studio-{VERSION}")
    with tempfile.TemporaryDirectory() as folder:
        photo = sample_photos(Path(folder))[0]
        print_rows(through_label_studio(program, Path(folder), photo) | measure(Path(folder), photo), photo)


if __name__ == "__main__":
    main()
