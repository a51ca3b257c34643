"""Take the pictures of the app in the README: ``python docs/screenshots.py URL`` on a fresh ``clickmask app``."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

PLACE = Path(__file__).parent
WIDTH, HEIGHT = 1440, 900
READY = '.cm-state[data-phase="ready"]'
APP = "document.querySelector('.cm').clickmask"


def show(page: Page, name: str) -> None:
    """Open a picture and wait until it takes clicks."""
    page.locator(".cm-pictures .cm-item", has_text=name).click()
    page.wait_for_function(f"() => {APP}.state.picture.name === '{name}'")
    page.wait_for_selector(READY, timeout=60_000)


def mark_box(page: Page, box: tuple[float, float, float, float]) -> None:
    """Mark a box in picture pixels and wait for its mask and the second look at it."""
    page.evaluate(f"() => {APP}.prompts.setBox({list(box)}, performance.now())")
    page.wait_for_function(f"() => {APP}.state.draft.answer && !{APP}.prompts.queue.busy", timeout=60_000)


def accept(page: Page) -> None:
    """Accept the draft."""
    page.keyboard.press("Enter")
    page.wait_for_function(f"() => !{APP}.state.draft.answer && !{APP}.saving.queue.length")


def main() -> None:
    """Label a little, light and dark."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.goto(sys.argv[1])
        page.wait_for_selector(READY, timeout=60_000)
        page.evaluate(f"() => {APP}.classes.add(['tower', 'cheetah', 'lion'])")
        page.locator(".cm-toast").wait_for()
        page.locator(".cm-toast").wait_for(state="detached")
        show(page, "cheetah1.jpg")
        page.keyboard.press("3")
        mark_box(page, (22, 26, 240, 256))
        page.screenshot(path=PLACE / "app-light.png")
        accept(page)
        page.evaluate(f"() => {APP}.toggleTheme()")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        page.keyboard.press("p")
        page.wait_for_function(f"() => {APP}.stage.vertices")
        page.screenshot(path=PLACE / "app-dark.png")
        browser.close()


if __name__ == "__main__":
    main()
