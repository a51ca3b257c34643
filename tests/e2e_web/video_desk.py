"""The video page as a person uses it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Locator

from tests.e2e_web.desk import Desk

WAIT_MS = 120_000
VIDEO_APP = "const app = document.querySelector('.cm-video').clickmask, state = app.state;"


class VideoDesk(Desk):
    """One open page of the app, at its video side."""

    @classmethod
    def of(cls, desk: Desk) -> VideoDesk:
        """Switch a page that shows photos to video."""
        desk.page.get_by_role("tab", name="Video").click()
        return cls(desk.page)

    def get(self, expression: str) -> Any:
        """A value of the page's state."""
        return self.page.evaluate(f"() => {{ {VIDEO_APP} return {expression}; }}")

    def until(self, expression: str) -> None:
        """Wait until an expression of the page's state holds."""
        self.page.wait_for_function(
            f"() => {{ if (!document.querySelector('.cm-video')) return false; {VIDEO_APP} return {expression}; }}",
            timeout=WAIT_MS,
        )

    def until_ready(self) -> None:
        """Wait until the frame that is wanted is shown."""
        self.until("state.video && app.player.isShown")

    def find(self, selector: str) -> Locator:
        """Something on this side of the app."""
        return self.page.locator(f".cm-video {selector}")

    def screen(self, x: float, y: float) -> tuple[float, float]:
        """Where a video pixel is in the window."""
        box = self.find(".cm-overlay").bounding_box()
        assert box is not None
        left, top = self.get(f"app.stage.view.toScreen({x}, {y})")
        return box["x"] + left, box["y"] + top

    def seek(self, frame: int) -> None:
        """Click a frame in the timeline's ruler and wait for its picture."""
        box = self.find(".cm-timeline").bounding_box()
        assert box is not None
        self.page.mouse.click(box["x"] + self.get(f"app.timeline.x({frame} + 0.5)"), box["y"] + 8)
        self.until(f"state.frame === {frame} && app.player.isShown")

    def letters(self, thing: int = 1) -> str:
        """An object's lane."""
        lane: str = self.get(f"state.lanes.get({thing}).letters.join('')")
        return lane

    def masks(self) -> dict[str, str]:
        """The masks on the frame that is shown, as run lengths by object."""
        found: dict[str, str] = self.get("Object.fromEntries(state.objects.map((one) => [one.id, one.mask.text]))")
        return found

    def until_said(self) -> None:
        """Wait until everything a person said is on the server's disk and answered."""
        self.until("!app.prompts.sending && app.prompts.queue.length === 0 && app.player.isShown")

    def track(self) -> None:
        """Track everything and wait for the end."""
        self.press("t")
        self.until("state.run")
        self.until("!state.run")

    def toasts(self) -> str:
        """All messages on the screen."""
        return "\n".join(self.find(".cm-toast").all_inner_texts())

    def until_toast(self, text: str) -> None:
        """Wait for a message."""
        self.find(".cm-toast").filter(has_text=text).first.wait_for(timeout=WAIT_MS)

    def export(self, file_format: str, place: Path) -> Path:
        """Export, download, and return the file."""
        self.find(".cm-export").click()
        self.find(".cm-dialog select").select_option(file_format)
        self.find(
            ".cm-dialog button",
        ).filter(has_text="Export").click()
        link = self.find(".cm-dialog a")
        link.wait_for(timeout=WAIT_MS)
        with self.page.expect_download() as download:
            link.click()
        target = place / download.value.suggested_filename
        download.value.save_as(target)
        self.press("Escape")
        return target
