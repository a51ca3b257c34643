"""A person at Label Studio's labeling page: knows where to click, knows nothing about what is right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Locator, Page, Response, expect

Tool = Literal["key-point-tool", "rectangle-tool"]
ACCEPT = "[data-testid=bottombar-accept-suggestions-button]"
SMART_TOOLS = ".lsf-tool_smart"
DRAFT_SECONDS = 60  # the page saves 5 s after a change
STILL_TRIES, STILL_MS = 20, 150


@dataclass(frozen=True, slots=True)
class Spot:
    """A place on the image [% of its width, % of its height]."""

    x: float
    y: float


class Annotator:
    """Drives one browser page the way a person does: mouse and buttons only.

    The label groups are expected in the order of ``plugin/labels``: smart click, smart box, then answers.
    """

    def __init__(self, page: Page, url: str, screenshots: Path) -> None:
        self.page = page
        self._url = url
        self._screenshots = screenshots
        self._drafts_saved = 0  # since the last thing drawn
        page.on("response", self._note_draft)

    def log_in(self, email: str, password: str) -> None:
        """Fill in the login form."""
        self.page.goto(f"{self._url}/user/login")
        self.page.fill("input[name=email]", email)
        self.page.fill("input[name=password]", password)
        with self.page.expect_navigation():
            self.page.click("button[type=submit]")
        self.page.evaluate("localStorage.setItem('autoAnnotation', 'true')")

    def open_task(self, project: int, task: int) -> None:
        """Open a task in the labeling editor and wait for its image."""
        self.page.goto(f"{self._url}/projects/{project}/data?task={task}")
        self.page.wait_for_selector(".konvajs-content canvas")
        self.page.wait_for_selector(".lsf-label")
        self.page.wait_for_load_state("networkidle")

    def click_object(self, label: str, spot: Spot) -> dict[str, Any]:
        """Point at an object with the smart click; return the backend's answer as the page got it."""
        return self._click(label, spot, modifiers=[])

    def leave_out(self, label: str, spot: Spot) -> dict[str, Any]:
        """Alt-click: this does not belong to the object."""
        return self._click(label, spot, modifiers=["Alt"])

    def leave_out_alone(self, label: str, spot: Spot) -> dict[str, Any]:
        """Alt-click where nothing was clicked before; return the backend's answer, which suggests nothing."""
        return self._click_only(label, spot, modifiers=["Alt"])

    def drag_box(self, label: str, start: Spot, end: Spot) -> dict[str, Any]:
        """Draw a smart box; return the backend's answer as the page got it."""
        self._choose("rectangle-tool", self._labels(label).nth(1))
        self._drafts_saved = 0
        with self.page.expect_response("**/interactive-annotating**") as waiting:
            self.page.mouse.move(*self._on_screen(start))
            self.page.mouse.down()
            self.page.mouse.move(*self._on_screen(end), steps=8)
            self.page.mouse.up()
        return self._answer(waiting.value.json())

    def wait_for_draft(self) -> None:
        """Wait until the page has saved by itself what was drawn last, if it has not yet."""
        for _ in range(DRAFT_SECONDS):
            if self._drafts_saved:
                return
            self.page.wait_for_timeout(1000)
        raise AssertionError(f"no draft was saved within {DRAFT_SECONDS} s")

    def accept(self) -> None:
        """Accept the suggestion."""
        self.page.click(ACCEPT)
        self.page.wait_for_selector(ACCEPT, state="detached")

    def submit(self) -> int:
        """Submit the annotation; return its id."""
        with self.page.expect_response(lambda it: it.request.method == "POST" and "/annotations" in it.url) as waiting:
            self.page.get_by_role("button", name="Submit").click()
        return int(waiting.value.json()["id"])

    def wait_for_regions(self, count: int) -> None:
        """Wait until the page lists so many regions."""
        expect(self.page.locator(".lsf-outliner-item")).to_have_count(count)

    def see(self, name: str) -> bytes:
        """Keep a screenshot of the page; return one of the image alone, as PNG, once it holds still."""
        image = self._canvas().screenshot()
        for _ in range(STILL_TRIES):
            self.page.wait_for_timeout(STILL_MS)
            before, image = image, self._canvas().screenshot()
            if image == before:
                break
        self._screenshots.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=self._screenshots / f"{name}.png")
        return image

    def _click(self, label: str, spot: Spot, modifiers: Sequence[Literal["Alt"]]) -> dict[str, Any]:
        return self._answer(self._click_only(label, spot, modifiers))

    def _click_only(self, label: str, spot: Spot, modifiers: Sequence[Literal["Alt"]]) -> dict[str, Any]:
        """Click and return what Label Studio answers to the page."""
        self._choose("key-point-tool", self._labels(label).nth(0))
        x, y = self._on_screen(spot)
        self._drafts_saved = 0
        for key in modifiers:
            self.page.keyboard.down(key)
        with self.page.expect_response("**/interactive-annotating**") as waiting:
            self.page.mouse.click(x, y)
        for key in modifiers:
            self.page.keyboard.up(key)
        body: dict[str, Any] = waiting.value.json()
        return body

    def _choose(self, tool: Tool, label: Locator) -> None:
        self.page.locator(SMART_TOOLS).first.hover()  # the smart tools share a fly-out
        self.page.locator(f"{SMART_TOOLS}[aria-label={tool}]").click()
        self.page.mouse.move(5, 600)  # away, or the fly-out stays over the image
        label.click()

    def _note_draft(self, response: Response) -> None:
        self._drafts_saved += "/drafts" in response.url and response.request.method in ("POST", "PATCH")

    def _labels(self, label: str) -> Locator:
        return self.page.locator(".lsf-label", has_text=label)

    def _canvas(self) -> Locator:
        return self.page.locator(".konvajs-content canvas").first

    def _on_screen(self, spot: Spot) -> tuple[float, float]:
        box = self._canvas().bounding_box()
        assert box is not None, "the image is not shown"
        return box["x"] + box["width"] * spot.x / 100, box["y"] + box["height"] * spot.y / 100

    def _answer(self, body: dict[str, Any]) -> dict[str, Any]:
        assert not body.get("errors"), body
        self.page.wait_for_selector(ACCEPT)
        self.page.mouse.move(5, 600)
        data: dict[str, Any] = body["data"]
        return data
