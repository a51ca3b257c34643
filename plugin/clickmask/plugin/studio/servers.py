"""How the two servers are started: Label Studio with its database in a folder, and the backend beside it."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from clickmask.plugin.studio.login import Login
from clickmask.plugin.studio.process import ServerCommand

LABEL_STUDIO_SECONDS = 600.0  # the first start makes the database: 32 s on two idle cores, minutes on busy ones
BACKEND_SECONDS = 300.0


def label_studio_command(
    program: Path, data_dir: Path, login: Login, port: int, environ: Mapping[str, str]
) -> ServerCommand:
    """Return how to start Label Studio on this machine's loopback address only."""
    url = f"http://127.0.0.1:{port}"
    address = ["--internal-host", "127.0.0.1", "--port", str(port), "--host", url]
    settings = {
        # Not as arguments, which everybody on this machine may read.
        "LABEL_STUDIO_USERNAME": login.email,
        "LABEL_STUDIO_PASSWORD": login.password,
        "LABEL_STUDIO_USER_TOKEN": login.token,
        "LABEL_STUDIO_BASE_DATA_DIR": str(data_dir / "label-studio"),
        # Label Studio refuses ML backends on private addresses; this one lives on this machine.
        "LABEL_STUDIO_USE_DEFAULT_BANNED_SUBNETS": "false",
        # Nothing leaves this machine: no usage figures, no error reports, no version check.
        "COLLECT_ANALYTICS": "0",
        "SENTRY_DSN": "",
        "FRONTEND_SENTRY_DSN": "",
        "LATEST_VERSION_CHECK": "0",
    }
    return ServerCommand(
        name="Label Studio",
        command=[str(program), "start", "--no-browser", *address, "--enable-legacy-api-token"],
        environ={**environ, **settings},
        log=data_dir / "label-studio.log",
        health_url=f"{url}/health",
        start_seconds=LABEL_STUDIO_SECONDS,
    )


def backend_command(data_dir: Path, port: int, arguments: Sequence[str], environ: Mapping[str, str]) -> ServerCommand:
    """Return how to start the ClickMask backend on this machine's loopback address only."""
    backend = [sys.executable, "-m", "clickmask", "backend"]
    address = ["--host", "127.0.0.1", "--port", str(port)]
    return ServerCommand(
        name="ClickMask backend",
        command=[*backend, *address, "--data-dir", str(data_dir / "backend"), *arguments],
        environ=environ,
        log=data_dir / "backend.log",
        health_url=f"http://127.0.0.1:{port}/health",
        start_seconds=BACKEND_SECONDS,
    )
