"""The studio: both servers, a project, photos and the connection, until Ctrl-C."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from clickmask.plugin.errors import StudioError
from clickmask.plugin.labels import label_config
from clickmask.plugin.studio.client import StudioClient
from clickmask.plugin.studio.clip import sample_clip
from clickmask.plugin.studio.install import VERSION, install_label_studio
from clickmask.plugin.studio.login import Login, load_login
from clickmask.plugin.studio.photos import sample_photos
from clickmask.plugin.studio.process import ServerCommand, check_port_is_free, running
from clickmask.plugin.studio.servers import backend_command, label_studio_command


@dataclass(frozen=True, slots=True)
class StudioOptions:
    """What a person can choose.

    Args:
        cache_dir: Holds Label Studio's environment, database and logs.
        port: Where Label Studio listens.
        backend_port: Where the backend listens.
        labels: Name of a label config in ``plugin/labels``.
        backend_arguments: Passed on to ``clickmask backend``.
    """

    cache_dir: Path
    port: int = 8080
    backend_port: int = 9090
    labels: str = "polygon"
    backend_arguments: Sequence[str] = ()

    @property
    def data_dir(self) -> Path:
        """Where everything that belongs to the running studio is kept."""
        return self.cache_dir / "studio"


def run_studio(options: StudioOptions, environ: Mapping[str, str]) -> None:
    """Start everything, print where it is, and keep it running until interrupted.

    Raises:
        StudioError: If a port is taken, the installation fails, or a server stops by itself.
        KeyboardInterrupt: On Ctrl-C, once both servers have stopped.
    """
    config = label_config(options.labels)
    if options.port == options.backend_port:
        raise StudioError(f"--port and --backend-port are both {options.port}, wanted two ports")
    check_port_is_free(options.port, flag="--port")
    check_port_is_free(options.backend_port, flag="--backend-port")
    program = install_label_studio(options.cache_dir / f"label-studio-{VERSION}")
    login = load_login(options.data_dir / "login.json")
    studio = label_studio_command(program, options.data_dir, login, options.port, environ)
    backend = backend_command(options.data_dir, options.backend_port, options.backend_arguments, environ)
    print("Starting Label Studio and the backend", flush=True)
    with running(backend) as backend_process, running(studio) as studio_process:
        url = f"http://127.0.0.1:{options.port}"
        backend_url = f"http://127.0.0.1:{options.backend_port}"
        with closing(StudioClient(url, login.token)) as client:
            title = f"ClickMask: {options.labels}"
            files = sample_files(options.labels, options.data_dir)
            project = open_project(client, title, config, files, backend_url)
        print(_greeting(f"{url}/projects/{project}/data", login, backend_url, options.labels), flush=True)
        _wait_for_either([(studio, studio_process), (backend, backend_process)])


def sample_files(labels: str, folder: Path) -> Sequence[Path]:
    """What a project of this label config has to show: photos, or a video made of them in ``folder``."""
    photos = sample_photos(folder)
    return (sample_clip(folder, photos),) if labels == "video" else photos


def open_project(client: StudioClient, title: str, config: str, files: Sequence[Path], backend_url: str) -> int:
    """Return the id of the project of this title, made and filled on first use, connected to the backend."""
    project = client.find_project(title)
    if project is None:
        project = client.create_project(title, config)
        client.upload(project, files)
    client.connect_backend(project, backend_url)
    return project


def _greeting(project_url: str, login: Login, backend_url: str, labels: str) -> str:
    return f"""
  Label Studio  {project_url}
  email         {login.email}
  password      {login.password}
  backend       {backend_url}

{_VIDEO_HINT if labels == "video" else _PHOTO_HINT}
  Ctrl-C stops both servers; the project stays.
"""


_PHOTO_HINT = """\
  Open a photo and switch on Auto-Annotation below it. Then take the pink tool in the toolbar, pick a
  label under "Smart click", and click an object. Alt-click leaves something out; the tick accepts.
  For a box: point at the pink tool, take the rectangle, and a label under "Smart box"."""

_VIDEO_HINT = """\
  Open the video and switch on Auto-Annotation below it. Then: a label (key 1), and a box around an object on any
  frame. Click the box and pick another label and the right one again (keys 2, 1): it follows the object.
  Where it goes astray, move it, and pick labels as before: the video is tracked again from there."""


def _wait_for_either(servers: Sequence[tuple[ServerCommand, subprocess.Popen[bytes]]]) -> None:
    while True:
        for server, process in servers:
            if process.poll() is not None:
                raise StudioError(f"{server.name} stopped with exit code {process.returncode}; see {server.log}")
        time.sleep(1.0)
