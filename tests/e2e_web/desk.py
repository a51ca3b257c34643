"""The page as a person uses it: pointer, keys, and what can be seen."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

WAIT_MS = 60_000
APP = "const app = document.querySelector('.cm').clickmask, state = app.state;"


class Desk:
    """One open page of the app."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def open(self, url: str) -> Desk:
        """Load the page and wait until the first picture takes clicks."""
        self.page.goto(url)
        self.until_ready()
        return self

    def until_ready(self) -> None:
        """Wait for the picture and its encoding."""
        self.page.wait_for_selector('.cm-state[data-phase="ready"]', timeout=WAIT_MS)

    def get(self, expression: str) -> Any:
        """A value of the page's state."""
        return self.page.evaluate(f"() => {{ {APP} return {expression}; }}")

    def until(self, expression: str) -> None:
        """Wait until an expression of the page's state holds."""
        self.page.wait_for_function(f"() => {{ {APP} return {expression}; }}", timeout=WAIT_MS)

    def until_saved(self) -> None:
        """Wait until everything is on the server's disk."""
        self.page.wait_for_selector('.cm-saving[data-phase="saved"]', timeout=WAIT_MS)

    def screen(self, x: float, y: float) -> tuple[float, float]:
        """Where a picture pixel is in the window."""
        box = self.page.locator(".cm-overlay").bounding_box()
        assert box is not None
        left, top = self.get(f"app.stage.view.toScreen({x}, {y})")
        return box["x"] + left, box["y"] + top

    def picture(self, x: float, y: float) -> tuple[float, float]:
        """The picture pixel at a place in the window."""
        box = self.page.locator(".cm-overlay").bounding_box()
        assert box is not None
        column, row = self.get(f"app.stage.view.toPicture({x - box['x']}, {y - box['y']})")
        return column, row

    def click(self, x: float, y: float, **how: Any) -> None:
        """Click a picture pixel."""
        self.page.mouse.click(*self.screen(x, y), **how)

    def drag(self, start: tuple[float, float], end: tuple[float, float], **how: Any) -> None:
        """Press, move and release over the picture."""
        self.page.mouse.move(*self.screen(*start))
        self.page.mouse.down(**how)
        self.page.mouse.move(*self.screen(*end), steps=6)
        self.page.mouse.up(**how)

    def press(self, key: str) -> None:
        """Press a key."""
        self.page.keyboard.press(key)

    def until_mask(self) -> None:
        """Wait for the answer to the newest prompt, sharp edges included."""
        self.until("state.draft.answer && !app.prompts.isWaiting")

    def accept(self) -> None:
        """Accept the draft and wait until it is saved."""
        count = len(self.objects()) + (0 if self.get("Boolean(state.draft.editing)") else 1)
        self.press("Enter")
        self.until(f"state.objects.length === {count} && app.saving.queue.length === 0")
        self.until_saved()

    def objects(self) -> list[str]:
        """The masks of the picture's objects, as run lengths."""
        found: list[str] = self.get("state.objects.map((object) => object.mask.text)")
        return found

    def overlay_pixel(self, x: float, y: float) -> list[int]:
        """RGBA of the overlay over a picture pixel."""
        self.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        pixel: list[int] = self.get(
            f"(() => {{ const [left, top] = app.stage.view.toScreen({x}, {y}); const ratio = app.stage.ratio;"
            " return [...app.stage.overlay.getContext('2d')"
            ".getImageData(Math.round(left * ratio), Math.round(top * ratio), 1, 1).data]; })()"
        )
        return pixel

    def toasts(self) -> str:
        """All messages on the screen."""
        return "\n".join(self.page.locator(".cm-toast").all_inner_texts())

    def until_toast(self, text: str) -> None:
        """Wait for a message."""
        self.page.locator(".cm-toast", has_text=text).first.wait_for(timeout=WAIT_MS)
