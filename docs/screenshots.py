"""Take the pictures of the app in the README: ``python docs/screenshots.py URL`` on a fresh ``python -m web``."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

PLACE = Path(__file__).parent
WIDTH, HEIGHT = 1440, 900
READY = '.cm-state[data-phase="ready"]'
APP = "document.querySelector('.cm').clickmask"


def drag(page: Page, box: tuple[float, float, float, float]) -> None:
    """Drag a box in picture pixels and wait for its mask."""
    mark(page, f"app.markBox({list(box)}, performance.now())")


def click(page: Page, x: float, y: float) -> None:
    """Click a picture pixel and wait for the mask."""
    mark(page, f"app.markPoint({x}, {y}, false, performance.now())")


def mark(page: Page, action: str) -> None:
    """Do something that is answered with a mask."""
    page.evaluate(f"() => {{ const app = {APP}; {action}; }}")
    page.wait_for_function(f"() => {APP}.state.draft.answer && !{APP}.asking.busy", timeout=60_000)


def accept(page: Page) -> None:
    """Accept the draft."""
    page.keyboard.press("Enter")
    page.wait_for_function(f"() => !{APP}.state.draft.answer && !{APP}.saving.queue.length")


def label_cheetah(page: Page) -> None:
    """The picture that is shown first."""
    page.evaluate(f"() => {APP}.addClasses(['cheetah', 'lion', 'tower'])")
    page.wait_for_function(f"() => {APP}.state.categories.length === 4")
    page.keyboard.press("2")
    drag(page, (135, 75, 386, 254))


def main() -> None:
    """Label a little, light and dark."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.goto(sys.argv[1])
        page.wait_for_selector(READY, timeout=60_000)
        label_cheetah(page)
        page.locator(".cm-toast").wait_for(state="detached")
        accept(page)
        page.evaluate(f"() => {APP}.refine({APP}.state.objects[0])")
        click(page, 250, 160)
        page.screenshot(path=PLACE / "app-light.png")
        page.keyboard.press("Escape")
        page.keyboard.press("d")
        page.keyboard.press("d")
        page.wait_for_function(f"() => {APP}.state.picture.name === 'lion.jpg'")
        page.wait_for_selector(READY, timeout=60_000)
        page.evaluate(f"() => {APP}.toggleTheme()")
        page.keyboard.press("3")
        drag(page, (20, 8, 250, 200))
        click(page, 120, 80)
        page.screenshot(path=PLACE / "app-dark.png")
        browser.close()


if __name__ == "__main__":
    main()
