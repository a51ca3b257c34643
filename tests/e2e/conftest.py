"""A real Label Studio, the real backend and a real Chromium, started once for all tests here.

What a machine lacks skips these tests with the reason; with CI=true it is installed, or fails.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from clickmask.plugin.studio.client import StudioClient
from clickmask.plugin.studio.login import Login, load_login
from clickmask.plugin.studio.process import running
from clickmask.plugin.studio.servers import backend_command, label_studio_command
from tests.e2e.annotator import Annotator
from tests.e2e.programs import LABEL_STUDIO, installed_label_studio, started_once
from tests.ports import free_port

PAGE_MILLISECONDS = 120_000  # on a machine that does other things too
PAGE_ERRORS = ("Illegal invocation",)  # Label Studio's own, now and then on a busy machine
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]


@dataclass(frozen=True, slots=True)
class LabelStudio:
    """The running server, its one account, and its log."""

    url: str
    login: Login
    log: Path


def need(condition: bool, reason: str) -> None:
    """Skip where a prerequisite is missing; in CI a missing prerequisite is a failure."""
    if not condition and os.environ.get("CI") == "true":
        pytest.fail(reason)
    if not condition:
        pytest.skip(reason)


@pytest.fixture(scope="session")
def label_studio_program() -> Path:
    """The installed ``label-studio`` program; CI installs it, other machines by ``clickmask studio``."""
    if os.environ.get("CI") == "true":
        return installed_label_studio()
    program = LABEL_STUDIO / "bin" / "label-studio"
    need(program.exists(), f"Label Studio is not installed in {LABEL_STUDIO}: run `clickmask studio` once")
    return program


@pytest.fixture(scope="session")
def empty_label_studio(label_studio_program: Path) -> Path:
    """The data of a Label Studio that was started once."""
    return started_once(label_studio_program)


@pytest.fixture(scope="session")
def label_studio(
    label_studio_program: Path, empty_label_studio: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LabelStudio]:
    """A Label Studio with one account and nothing else."""
    folder, port = tmp_path_factory.mktemp("session") / "label-studio", free_port()
    shutil.copytree(empty_label_studio, folder)
    login = load_login(folder / "login.json")
    with running(label_studio_command(label_studio_program, folder, login, port, os.environ)):
        yield LabelStudio(f"http://127.0.0.1:{port}", login, folder / "label-studio.log")


@pytest.fixture(scope="session")
def backend_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The backend with the model that ships with it, as ``clickmask backend`` starts it."""
    folder, port = tmp_path_factory.mktemp("backend"), free_port()
    with running(backend_command(folder, port, [], os.environ)):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="session")
def client(label_studio: LabelStudio) -> Iterator[StudioClient]:
    """Label Studio's API."""
    with closing(StudioClient(label_studio.url, label_studio.login.token)) as opened:
        yield opened


@pytest.fixture(scope="session")
def personal_token(client: StudioClient) -> str:
    """A personal access token of the account; Label Studio shows a token once and gives one at a time."""
    client.call("POST", "/api/jwt/settings", json={"api_tokens_enabled": True, "legacy_api_tokens_enabled": True})
    return str(client.call("POST", "/api/token/")["token"])


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium."""
    program = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    need(program is not None, f"no Chromium: wanted one of {', '.join(CHROMIUM_NAMES)} on PATH")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=CHROMIUM_FLAGS)
        yield started
        started.close()


@pytest.fixture
def annotator(browser: Browser, label_studio: LabelStudio, tmp_path: Path) -> Iterator[Annotator]:
    """A person logged in to Label Studio; the page must end without script errors."""
    page = browser.new_page(viewport={"width": 1600, "height": 1200})
    page.set_default_timeout(PAGE_MILLISECONDS)
    script_errors: list[str] = []
    page.on("pageerror", lambda error: script_errors.append(str(error)))
    person = Annotator(page, label_studio.url, screenshots=Path(os.environ.get("CLICKMASK_SCREENSHOTS") or tmp_path))
    person.log_in(label_studio.login.email, label_studio.login.password)
    yield person
    page.close()
    assert [error for error in script_errors if error not in PAGE_ERRORS] == []
