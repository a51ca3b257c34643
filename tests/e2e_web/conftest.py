"""A real Chromium on the real app with the model in the box."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from clickmask.web.photos.samples import make_sample_folder
from tests.e2e_web.desk import WAIT_MS, Desk
from tests.e2e_web.server import app_command, running
from tests.ports import free_port

NAMES = ("chromium", "chromium-browser", "google-chrome")
OpenDesk = Callable[..., Desk]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        reason = f"no browser found, wanted one of {', '.join(NAMES)}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder the server may open; every test works in a folder of its own below it."""
    return tmp_path_factory.mktemp("root")


@pytest.fixture(scope="session")
def url(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    place = tmp_path_factory.mktemp("server")
    port = free_port()
    with running(app_command(port, place / "home", "--root", str(root)), port, place / "log.txt") as address:
        yield address


@pytest.fixture
def folder(root: Path, request: pytest.FixtureRequest) -> Path:
    """The sample photos, for one test."""
    name = "".join(letter if letter.isalnum() else "-" for letter in request.node.name)
    return make_sample_folder(root / name)


@pytest.fixture
def open_desk(browser: Browser, url: str, folder: Path) -> Iterator[OpenDesk]:
    """Opens pages on the test's folder: ``open_desk(width=1440, height=900, color_scheme="dark")``."""
    contexts = []
    problems: list[str] = []

    def open_page(width: int = 1440, height: int = 900, dark: bool = False, touch: bool = False) -> Desk:
        context = browser.new_context(
            viewport={"width": width, "height": height}, has_touch=touch, accept_downloads=True, locale="en-US"
        )
        context.set_default_timeout(WAIT_MS)
        contexts.append(context)
        theme = "dark" if dark else "light"
        context.add_init_script(
            f"if (!localStorage.getItem('clickmask-folder')) localStorage.setItem('clickmask-folder', {str(folder)!r});"
            f"localStorage.setItem('clickmask-theme', '{theme}');"
        )
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        return Desk(page).open(url)

    yield open_page
    for context in contexts:
        context.close()
    assert problems == [], "the page raised errors"
