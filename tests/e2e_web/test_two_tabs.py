"""Two tabs on one picture, and a server that goes away in the middle of the work."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.e2e_web.conftest import OpenDesk
from tests.e2e_web.desk import Desk
from tests.e2e_web.server import app_command, running
from tests.ports import free_port

pytestmark = pytest.mark.e2e


def brush(desk: Desk, y: float) -> None:
    desk.press("b")
    desk.drag((50, y), (90, y))
    desk.until("state.draft.answer")


def test_two_tabs_add_to_each_other_and_never_overwrite(open_desk: OpenDesk) -> None:
    one, other = open_desk(), open_desk()
    brush(one, 50)
    one.accept()
    brush(other, 150)
    other.press("Enter")
    other.until_toast("also changed in another tab")
    other.until("state.objects.length === 2 && app.saving.queue.length === 0")

    one.press("v")
    one.page.locator(".cm-objects .cm-item").first.click()
    one.press("Delete")
    one.until_toast("also changed in another tab")
    one.until("state.objects.length === 1 && app.saving.queue.length === 0")
    assert one.objects()[0] == other.objects()[1]

    other.page.locator(".cm-objects .cm-item").last.click()  # the one that was deleted in the other tab
    other.page.locator(".cm-classes button[title='New class']").click()
    other.page.fill(".cm-dialog input", "late")
    other.press("Enter")
    other.until_toast("your last change was not made")
    other.until("state.objects.length === 1")
    assert other.objects() == one.objects()


def test_a_restarted_server_gets_what_was_accepted_meanwhile(browser: Browser, tmp_path: Path) -> None:
    port = free_port()
    command = app_command(port, tmp_path / "home")
    context = browser.new_context(viewport={"width": 1200, "height": 800})
    with running(command, port, tmp_path / "first.txt") as url:
        desk = Desk(context.new_page()).open(url)
        brush(desk, 50)
        desk.accept()
    brush(desk, 150)
    desk.press("Enter")
    desk.until_toast("The server does not answer")
    desk.page.wait_for_selector('.cm-saving[data-phase="failed"]')
    kept = desk.objects()
    assert len(kept) == 2
    with running(command, port, tmp_path / "second.txt"):
        desk.until_saved()
        desk.until("app.saving.queue.length === 0")
        fresh = Desk(context.new_page()).open(url)
        assert fresh.objects() == kept
    context.close()
