"""Click to painted mask in a real browser, against a ``gr.Image.select`` demo; start time; memory with 1,000 pictures.

Run ``python -m benchmarks.web``. Starts both apps as programs of their own, with the same model, and clicks on
them in turn, so that a busy machine slows both alike.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import socket
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

from web.samples import make_sample_folder

SIZES = ((1000, 750), (4000, 3000))
CLICKS, WARMUP = 30, 3
MANY = 1000
PATIENCE_MS = 120_000

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


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


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


def click_time(page: Page, selector: str) -> float:
    """One click in the middle part of the picture: from the event to the painted answer [ms]."""
    page.evaluate("() => { window.took = null; }")
    box = page.locator(selector).bounding_box()
    assert box is not None
    x = box["x"] + box["width"] * random.uniform(0.4, 0.6)
    y = box["y"] + box["height"] * random.uniform(0.4, 0.6)
    page.mouse.click(x, y)
    page.wait_for_function("() => window.took !== null", timeout=PATIENCE_MS)
    took: float = page.evaluate("() => window.took")
    return took


def our_click(page: Page) -> float:
    """One first click on our page, cleared afterwards."""
    took = click_time(page, ".cm-overlay")
    page.keyboard.press("Escape")
    return took


def race_clicks(browser: Browser, picture: Path, home: Path) -> None:
    """Both apps on one picture, click by click in turn."""
    ours, theirs = free_port(), free_port()
    app = ("web", "--port", str(ours), "--home", str(home), "--root", str(picture.parent))
    with serving(*app, port=ours), serving("benchmarks.web_rival", str(theirs), str(picture), port=theirs):
        our_page, rival_page = open_app(browser, ours), open_rival(browser, theirs)
        times: tuple[list[float], list[float]] = ([], [])
        for turn in range(WARMUP + CLICKS):
            pair = (our_click(our_page), click_time(rival_page, "#rival img"))
            if turn >= WARMUP:
                for kept, took in zip(times, pair, strict=True):
                    kept.append(took)
        our_page.close()
        rival_page.close()
    report_clicks(picture.parent.name, *times)


def report_clicks(size: str, ours: list[float], theirs: list[float]) -> None:
    """One row per app."""
    for name, times in (("ClickMask", ours), ("gr.Image.select", theirs)):
        ordered = sorted(times)
        p50, p95 = statistics.median(ordered), ordered[int(0.95 * len(ordered))]
        print(f"{size:>10}  {name:<16} p50 {p50:6.0f} ms   p95 {p95:6.0f} ms", flush=True)
    print(f"{size:>10}  ratio of p50: {statistics.median(theirs) / statistics.median(ours):.1f}", flush=True)


def measure_start(browser: Browser, home: Path) -> None:
    """First start: from the command to the first answer, and to sample photos that take clicks."""
    port = free_port()
    start = time.perf_counter()
    with serving("web", "--port", str(port), "--home", str(home), port=port):
        up = time.perf_counter() - start
        open_app(browser, port).close()
        ready = time.perf_counter() - start
    print(f"first start: page answers after {up:.1f} s, sample photo takes clicks after {ready:.1f} s", flush=True)


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
            print(
                f"{count:>5} pictures: server {resident_mb(pid):.0f} MB, page {heap:.0f} MB, opened in {opened:.1f} s",
                flush=True,
            )
            page.close()


def show_all_thumbnails(page: Page) -> None:
    """Scroll the list from top to bottom."""
    page.evaluate("""async () => {
      const list = document.querySelector('.cm-pictures'), panel = document.querySelector('.cm').clickmask.pictures;
      for (let top = 0; top <= list.scrollHeight; top += list.clientHeight) {
        list.scrollTop = top;
        await new Promise((done) => setTimeout(done, 100));
        while (panel.fetching || panel.wanted.size) await new Promise((done) => setTimeout(done, 20));
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
        measure_start(browser, folder / "first")
        for picture in pictures:
            race_clicks(browser, picture, folder / "home")
        measure_memory(browser, folder, pictures[0])
        browser.close()


if __name__ == "__main__":
    main()
