"""The files of the page: modules and styles, served as they lie in ``static/``."""

from __future__ import annotations

import hashlib
import mimetypes
from functools import cache
from pathlib import Path

from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

STATIC = Path(__file__).parent / "static"
STYLES = (STATIC / "shared/style.css", STATIC / "video/video.css")
ICON = STATIC / "icon.svg"


@cache
def page_address() -> str:
    """The folder's address, relative to the page; another for every version, so that no browser mixes two."""
    digest = hashlib.sha256()
    for file in sorted(STATIC.rglob("*.js")):
        digest.update(file.read_bytes())
    return f"page/{digest.hexdigest()[:12]}"


def page_files() -> Mount:
    """The route that serves the folder."""
    mimetypes.add_type("text/javascript", ".js")  # some systems say text/plain, and no browser runs that
    return Mount(f"/{page_address()}", StaticFiles(directory=STATIC))
