"""Every way to start the app, with and without a login, and without a network."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.e2e_web.desk import Desk
from tests.e2e_web.server import ROOT, app_command, running
from tests.ports import free_port

pytestmark = pytest.mark.e2e

# every connection that leaves the machine is noted and refused
NO_NETWORK = """
import os, socket

def refuse(self, address, connect=socket.socket.connect):
    if self.family != socket.AF_UNIX and address[0] not in {"127.0.0.1", "::1", "localhost", "0.0.0.0"}:
        with open(os.environ["OUTSIDE_LOG"], "a") as log:
            log.write(f"{address}\\n")
        raise OSError("no network in this test")
    return connect(self, address)

def lookup(host, *rest, real=socket.getaddrinfo, **more):
    if host not in {None, "", "127.0.0.1", "::1", "localhost", "0.0.0.0"}:
        with open(os.environ["OUTSIDE_LOG"], "a") as log:
            log.write(f"{host}\\n")
        raise socket.gaierror("no network in this test")
    return real(host, *rest, **more)

socket.socket.connect = refuse
socket.getaddrinfo = lookup
"""


def test_nothing_outside_the_machine_is_asked_by_server_or_page(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site/sitecustomize.py").write_text(NO_NETWORK)
    outside = tmp_path / "outside.txt"
    outside.touch()
    port = free_port()
    environment = {"PYTHONPATH": str(tmp_path / "site"), "OUTSIDE_LOG": str(outside)}
    asked: list[str] = []
    with running(app_command(port, tmp_path / "home"), port, tmp_path / "log.txt", **environment) as url:
        page = browser.new_page()
        page.on("request", lambda request: asked.append(request.url))
        desk = Desk(page).open(url)
        desk.click(250, 160)
        desk.until_mask()
        desk.accept()
        page.close()
    strangers = [address for address in asked if not address.startswith((url, "data:", "blob:", "ws://127.0.0.1"))]
    assert strangers == []
    assert outside.read_text() == ""


@pytest.mark.parametrize("way", ["gradio web/app.py", "python web/app.py"])
def test_other_ways_to_start(browser: Browser, tmp_path: Path, way: str) -> None:
    gradio = Path(sys.executable).with_name("gradio")
    port = free_port()
    options = ["--port", str(port), "--home", str(tmp_path / "home")]
    app = str(ROOT / "web/app.py")
    command = (
        [str(gradio), "web/app.py", "--", *options] if way.startswith("gradio") else [sys.executable, app, *options]
    )
    with running(command, port, tmp_path / "log.txt") as url:
        desk = Desk(browser.new_page()).open(url)
        assert desk.page.locator(".cm-pictures .cm-item").count() == 4
        desk.page.close()


def test_a_login_guards_the_page_the_pictures_and_the_functions(browser: Browser, tmp_path: Path) -> None:
    port = free_port()
    command = app_command(port, tmp_path / "home", "--auth", "ann:secret")
    with running(command, port, tmp_path / "log.txt") as url:
        context = browser.new_context()
        picture = f"{url}gradio_api/file={tmp_path}/home/samples/lion.jpg"
        assert context.request.get(picture).status == 401
        assert context.request.post(f"{url}gradio_api/component_server", data={}).status == 401
        page = context.new_page()
        page.goto(url)
        page.get_by_label("username").fill("ann")
        page.get_by_label("password").fill("secret")
        page.get_by_role("button", name="Login").click()
        desk = Desk(page)
        desk.until_ready()
        assert context.request.get(picture).status == 200
        assert context.request.get(f"{url}gradio_api/file=/etc/passwd").status == 403
        context.close()


def test_the_folders_of_the_command_line_are_checked(tmp_path: Path) -> None:
    import subprocess

    command = app_command(1, tmp_path, "--root", str(tmp_path / "nowhere"))
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert process.returncode == 2
    assert "nowhere is not a folder" in process.stderr
    assert "Traceback" not in process.stderr


def test_a_missing_model_is_told_on_the_page(browser: Browser, tmp_path: Path) -> None:
    port = free_port()
    command = app_command(port, tmp_path / "home", "--model", str(tmp_path / "no.pt"))
    with running(command, port, tmp_path / "log.txt") as url:
        page = browser.new_page()
        page.goto(url)
        Desk(page).until_toast("does not exist")
        page.close()
