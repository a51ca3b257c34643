"""Click to painted mask in a real browser, against a ``gr.Image.select`` demo; start time; memory with 1,000 pictures.

Run ``python -m benchmarks.web``: prints Markdown, in about three minutes. Starts both apps as programs of their own,
with the same model, and clicks on them in turn, so that a busy machine slows both alike. A click counts from the
pointer event to the first task after the frame that shows the answer.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from clickmask.web.photos.samples import make_sample_folder
from tests.ports import free_port

SIZES = ((1000, 750), (4000, 3000))
CLICKS, WARMUP = 20, 3
MANY = 1000
PATIENCE_MS = 120_000
APP = "document.querySelector('.cm').clickmask"

WATCH_RIVAL = """() => {
  const root = document.querySelector('#rival');
  root.addEventListener('click', (event) => { window.since = event.timeStamp; window.took = null; }, true);
  new MutationObserver(async () => {
    const image = root.querySelector('img');
    if (!window.since || !image || image.src === window.shown) return;
    window.shown = image.src;
    await image.decode();
    requestAnimationFrame(() => setTimeout(() => { window.took = performance.now() - window.since; }));
  }).observe(root, { subtree: true, childList: true, attributes: true, attributeFilter: ['src'] });
}"""


def write_pictures(folder: Path) -> list[Path]:
    """A sample photo at both sizes."""
    photo = Image.open(make_sample_folder(folder) / "cheetah.jpg")
    files = []
    for width, height in SIZES:
        file = folder / f"{width}x{height}" / "cheetah.jpg"
        file.parent.mkdir()
        photo.resize((width, height), Image.Resampling.BICUBIC).save(file, quality=92)
        files.append(file)
    return files


@contextlib.contextmanager
def serving(*module: str, port: int) -> Iterator[int]:
    """Run a Python module that serves on the port; gives its process id."""
    command = [sys.executable, "-m", *module]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            while not answers(port):
                time.sleep(0.05)
                if process.poll() is not None:
                    raise RuntimeError(f"{' '.join(command)} ended before it answered")
            yield process.pid
        finally:
            process.kill()


def answers(port: int) -> bool:
    """Whether a page is served on the port."""
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def open_app(browser: Browser, port: int) -> Page:
    """Our page, with the first picture encoded."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(f"http://127.0.0.1:{port}/")
    page.wait_for_selector('.cm-state[data-phase="ready"]', timeout=PATIENCE_MS)
    page.evaluate("""() => {
      const root = document.querySelector('.cm');
      root.clickmask.state.hover = false;
      root.addEventListener('clickmask-painted', (event) => { window.took = event.detail.ms; });
    }""")
    return page


def open_rival(browser: Browser, port: int) -> Page:
    """The rival's page with its picture."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(f"http://127.0.0.1:{port}/")
    page.wait_for_selector("#rival img", timeout=PATIENCE_MS)
    page.wait_for_timeout(1000)
    page.evaluate(WATCH_RIVAL)
    return page


def somewhere(page: Page, selector: str) -> tuple[float, float]:
    """A random place in the middle part of an element [window px]."""
    box = page.locator(selector).bounding_box()
    assert box is not None
    across, down = random.uniform(0.4, 0.6), random.uniform(0.4, 0.6)
    return box["x"] + box["width"] * across, box["y"] + box["height"] * down


def click_time(page: Page, selector: str, place: tuple[float, float] | None = None) -> float:
    """One click, in the middle part of the picture unless told: from the event to the painted answer [ms]."""
    page.evaluate("() => { window.took = null; }")
    page.mouse.click(*(place or somewhere(page, selector)))
    page.wait_for_function("() => window.took !== null", timeout=PATIENCE_MS)
    took: float = page.evaluate("() => window.took")
    return took


def our_click(page: Page) -> float:
    """One first click on our page, cleared afterwards."""
    took = click_time(page, ".cm-overlay")
    leave(page)
    return took


def leave(page: Page) -> None:
    """Clear the mask, and let the second look at its edges end, which the next click is not about."""
    page.keyboard.press("Escape")
    page.wait_for_function(f"() => !{APP}.prompts.queue.busy", timeout=PATIENCE_MS)


def previewed_click(page: Page) -> float:
    """The same where the pointer has rested long enough for a preview."""
    page.evaluate(f"() => {{ {APP}.state.hover = true; {APP}.prompts.roundTrip = 0; }}")
    place = somewhere(page, ".cm-overlay")
    page.mouse.move(*place)
    page.wait_for_function(f"() => {APP}.state.preview", timeout=PATIENCE_MS)
    took = click_time(page, ".cm-overlay", place)
    page.evaluate(f"() => {{ {APP}.state.hover = false; }}")
    leave(page)
    return took


def race_clicks(browser: Browser, picture: Path, home: Path) -> None:
    """Both apps on one picture, click by click in turn."""
    ours, theirs = free_port(), free_port()
    app = ("web", "--port", str(ours), "--home", str(home), "--root", str(picture.parent))
    with serving(*app, port=ours), serving("benchmarks.web_rival", str(theirs), str(picture), port=theirs):
        our_page, rival_page = open_app(browser, ours), open_rival(browser, theirs)
        rounds = [
            (our_click(our_page), previewed_click(our_page), click_time(rival_page, "#rival img"))
            for _ in range(WARMUP + CLICKS)
        ]
        our_page.close()
        rival_page.close()
    names = ("ClickMask", "ClickMask, after a preview", "gr.Image.select")
    for name, times in zip(names, zip(*rounds[WARMUP:], strict=True), strict=True):
        p95 = statistics.quantiles(times, n=20)[-1]
        say(f"click on {picture.parent.name}, {name}", f"{statistics.median(times):.0f} ms", f"{p95:.0f} ms")


def say(what: str, *values: str) -> None:
    """One row of the table."""
    print(f"| {' | '.join((what, *values))} |", flush=True)


def measure_start(browser: Browser, home: Path) -> None:
    """First start: from the command to the first answer, and to sample photos that take clicks."""
    port = free_port()
    start = time.perf_counter()
    with serving("web", "--port", str(port), "--home", str(home), port=port):
        up = time.perf_counter() - start
        open_app(browser, port).close()
        ready = time.perf_counter() - start
    say("first start, page answers", f"{up:.1f} s", "")
    say("first start, sample photo takes clicks", f"{ready:.1f} s", "")


def measure_memory(browser: Browser, folder: Path, picture: Path) -> None:
    """Memory of server and page with a thousand pictures, against four."""
    many = folder / "many"
    many.mkdir()
    for number in range(MANY):
        shutil.copyfile(picture, many / f"{number:04}.jpg")
    for root in (folder / "samples", many):
        port = free_port()
        with serving("web", "--port", str(port), "--home", str(folder / "home"), "--root", str(root), port=port) as pid:
            start = time.perf_counter()
            page = open_app(browser, port)
            opened = time.perf_counter() - start
            show_all_thumbnails(page)
            heap = page.evaluate("() => performance.memory.usedJSHeapSize") / 2**20
            count = page.evaluate("() => document.querySelector('.cm').clickmask.state.pictures.length")
            say(f"{count:,} pictures, opened", f"{opened:.1f} s", "")
            say(f"{count:,} pictures, memory of the server", f"{resident_mb(pid):.0f} MB", "")
            say(f"{count:,} pictures, memory of the page's script", f"{heap:.0f} MB", "")
            page.close()


def show_all_thumbnails(page: Page) -> None:
    """Scroll the list from top to bottom."""
    page.evaluate("""async () => {
      const list = document.querySelector('.cm-pictures');
      const panel = document.querySelector('.cm').clickmask.panels.pictures;
      for (let top = 0; top <= list.scrollHeight; top += list.clientHeight) {
        list.scrollTop = top;
        await new Promise((done) => setTimeout(done, 100));
        const { thumbnails } = panel;
        while (thumbnails.fetching || thumbnails.wanted.size) await new Promise((done) => setTimeout(done, 20));
      }
    }""")


def resident_mb(pid: int) -> float:
    """Resident memory of a process [MB]."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def main() -> None:
    """Measure everything and print it."""
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        raise SystemExit("no browser found, wanted chromium or google-chrome")
    random.seed(0)
    with tempfile.TemporaryDirectory() as place, sync_playwright() as playwright:
        folder = Path(place)
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        pictures = write_pictures(folder)
        say("what", "median", "95th percentile")
        say("---", "---:", "---:")
        measure_start(browser, folder / "first")
        for picture in pictures:
            race_clicks(browser, picture, folder / "home")
        measure_memory(browser, folder, pictures[0])
        browser.close()


if __name__ == "__main__":
    main()
