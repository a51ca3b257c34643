"""Click to answer through a real Label Studio, beside all that ``benchmarks.backend`` measures: one table.

Run ``python -m benchmarks.label_studio``. It needs the Label Studio that ``make studio`` installs, uses a
database of its own, and stops all servers at the end.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import closing
from pathlib import Path

from benchmarks.backend import (
    FLAGS,
    IMAGES,
    LABELS,
    JsonObject,
    Person,
    Rows,
    clicks,
    measure,
    print_rows,
    sample_photo,
)
from clickmask.plugin.labels import label_config
from clickmask.plugin.studio.client import StudioClient
from clickmask.plugin.studio.command import open_project
from clickmask.plugin.studio.install import VERSION, install_label_studio
from clickmask.plugin.studio.login import load_login
from clickmask.plugin.studio.process import check_port_is_free, running
from clickmask.plugin.studio.servers import backend_command, label_studio_command

PORT, BACKEND_PORT = 18080, 19090


def through_label_studio(program: Path, folder: Path, photo: Path) -> Rows:
    """Start both servers with their data in ``folder`` and click as the page does."""
    login = load_login(folder / "login.json")
    studio = label_studio_command(program, folder, login, PORT, os.environ)
    with (
        running(backend_command(folder, BACKEND_PORT, FLAGS, os.environ)),
        running(studio),
        closing(StudioClient(f"http://127.0.0.1:{PORT}", login.token)) as client,
    ):
        copies = [Path(shutil.copy(photo, folder / f"{number}{photo.suffix}")) for number in range(IMAGES + 1)]
        project = open_project(client, "Clicks", label_config(LABELS), copies, f"http://127.0.0.1:{BACKEND_PORT}")
        page = {"project": project, "page_size": len(copies)}
        first, *tasks = (str(task["id"]) for task in client.call("GET", "/api/tasks", params=page)["tasks"])
        [backend] = client.call("GET", "/api/ml", params={"project": project})

        def click(task: str, context: JsonObject) -> None:
            body = {"task": int(task), "context": context}
            answer = client.call("POST", f"/api/ml/{backend['id']}/interactive-annotating", json=body)
            assert "data" in answer, answer

        click(first, Person().new_object())  # both servers are warmed up now
        return clicks(click, tasks, "through Label Studio")


def main() -> None:
    """Print the table."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "clickmask"
    check_port_is_free(PORT, flag="PORT in this file")
    check_port_is_free(BACKEND_PORT, flag="BACKEND_PORT in this file")
    program = install_label_studio(cache / f"label-studio-{VERSION}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photo = sample_photo(folder)
        print_rows(through_label_studio(program, folder, photo) | measure(folder, photo))


if __name__ == "__main__":
    main()
