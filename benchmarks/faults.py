"""What the running servers bear, with figures: many people beside trouble, kill -9, full disks, a long day.

``python -m benchmarks.faults [PART ...]``. The servers are programs of their own, all on this machine; every part has
an end. Linux only. A promise that is broken ends the program with an error.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import sqlite3
import statistics
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from benchmarks.backend import Person, image_server, request, sample_photo
from benchmarks.servers import App, JsonObject, backend, expect
from benchmarks.trouble import trouble
from clickmask.decoder import Size
from clickmask.decoder.shapes import brush_to_mask
from clickmask.web.browser_rle import mask_to_runs
from clickmask.web.photos.library import PROJECT_FOLDER
from clickmask.web.photos.project import Project

IMAGES, QUESTIONS, TROUBLEMAKERS = 10, 60, 4
PLACES = 10  # clicked on in the app: more would fill its cache of crops, which may take 2 GB
SETTLED = 0.3  # of the soak, after which nothing may grow
MOST_GROWTH_MB, MOST_GROWTH_FILES = 60.0, 10


@dataclass(frozen=True, slots=True)
class Amounts:
    """How much of everything.

    Args:
        answers: Asked for by all threads together.
        threads: People at once.
        kills: Servers killed in the middle of writing.
        soak_minutes: How long both servers are watched.
    """

    answers: int
    threads: int
    kills: int
    soak_minutes: float


def say(what: str, *values: object) -> None:
    """A row of the table."""
    print(f"| {what} | {' | '.join(map(str, values))} |", flush=True)


# many people beside trouble


def questions(images: str, photo: str) -> list[JsonObject]:
    """Clicks of one to three points on some images."""
    asked = []
    for number in range(QUESTIONS):
        person = Person(number)
        context = person.new_object()
        for _ in range(number % 3):
            context = person.same_object()
        asked.append(request(f"{images}/{photo}?copy={number % IMAGES}", context))
    return asked


def same_answers(amounts: Amounts, folder: Path, photo: Path) -> None:
    """Ask each question alone, then all of them from many threads while others make trouble."""
    with image_server(photo.parent) as images, backend(folder / "many") as server:
        asked = questions(images, photo.name)
        alone = [server.answer(question) for question in asked]
        rng = random.Random(1)
        picks = [rng.randrange(QUESTIONS) for _ in range(amounts.answers)]
        start = time.monotonic()
        with trouble(server.url, TROUBLEMAKERS) as got, ThreadPoolExecutor(amounts.threads) as pool:
            answers = list(pool.map(lambda pick: server.answer(asked[pick]), picks))
        seconds = time.monotonic() - start
        others = [(answer, alone[pick]) for answer, pick in zip(answers, picks, strict=True) if answer != alone[pick]]
    pixels = [different_pixels(*pair) for pair in others]
    scores = [abs(one["score"] - other["score"]) for one, other in others]
    say("answers from threads", amounts.answers, f"{amounts.threads} threads, {amounts.answers / seconds:.0f} a second")
    say("beside them, bad requests", sum(got.values()), ", ".join(f"{deed} {n}" for deed, n in sorted(got.items())))
    say("equal to the answer given alone", len(answers) - len(others), "")
    say("other masks", sum(map(bool, pixels)), f"at most {max(pixels, default=0)} pixels")
    say("other scores", sum(map(bool, scores)), f"by at most {max(scores, default=0):.4f}")
    expect(not any(" 5" in deed and "image" not in deed for deed in got), f"a bad request failed us: {got}")
    expect(max(pixels, default=0) <= 20, "a mask is somebody else's")


def different_pixels(first: JsonObject, second: JsonObject) -> int:
    """In how many pixels the masks of two regions differ."""
    size = Size(first["original_height"], first["original_width"])
    masks = [brush_to_mask(region["value"]["rle"], size) for region in (first, second)]
    return int(np.count_nonzero(masks[0] != masks[1]))


# kill -9 in the middle of writing


def killed(amounts: Amounts, folder: Path, photo: Path) -> None:
    """Kill both servers while they write; everything they confirmed must be there."""
    confirmed, kept = 0, 0
    for round_number in range(amounts.kills):
        data = folder / f"killed{round_number}"
        with backend(data) as server, killing(server.pid, 0.5 + round_number / 10):
            told = confirm(lambda number, server=server: server.accept(number) == 200)
        rows = sqlite3.connect(data / "backend" / "records.sqlite").execute("SELECT id FROM annotations").fetchall()
        expect({*range(told)} <= {number for (number,) in rows}, f"{told} annotations confirmed, {len(rows)} kept")
        confirmed, kept = confirmed + told, kept + len(rows)
    say("backend killed: annotations confirmed", confirmed, f"{kept} kept, {amounts.kills} kills")
    confirmed, kept = 0, 0
    for round_number in range(amounts.kills):
        home, photos = folder / f"app{round_number}", copied(photo, folder / f"photos{round_number}")
        with App(home, photos) as app, killing(app.pid, 0.5 + round_number / 10):
            runs = some_runs(app)
            told = confirm(lambda number, app=app, runs=runs: app.accept(number, runs).get("revision") == number + 1)
        objects = objects_in(photos)
        expect(told <= objects <= told + 1, f"{told} objects confirmed, {objects} kept")
        confirmed, kept = confirmed + told, kept + objects
    say("app killed: objects confirmed", confirmed, f"{kept} kept, {amounts.kills} kills")


@contextmanager
def killing(pid: int, after: float) -> Iterator[None]:
    """Kill a process after a while."""
    timer = threading.Timer(after, os.kill, (pid, signal.SIGKILL))
    timer.start()
    yield
    timer.join()


def confirm(write: Any, most: int = 100_000) -> int:
    """Write 0, 1, 2, ... until it fails; how many were confirmed."""
    for number in range(most):
        try:
            if not write(number):
                return number
        except httpx.TransportError:
            return number
    return most


def some_runs(app: App) -> str:
    """A mask for the first picture, whose first class is made."""
    picture = app.opened["pictures"][0]
    app.ask("save_categories", categories=[{"id": 1, "name": "thing", "color": "#ff0000"}])
    mask = np.zeros((picture["height"], picture["width"]), np.bool_)
    mask[::7, ::3] = True
    return mask_to_runs(mask)


def copied(photo: Path, folder: Path) -> Path:
    """A folder of that photo alone."""
    folder.mkdir()
    shutil.copy(photo, folder)
    return folder


def objects_in(photos: Path) -> int:
    """How many objects the project beside the photos has on its first picture."""
    (file,) = photos.rglob("project.db")
    project = Project(file)
    try:
        return len(project.objects(project.pictures()[0].id))
    finally:
        project.close()


# a full disk


def full_disk(_amounts: Amounts, folder: Path, photo: Path) -> None:
    """Both servers on a disk that gets full: the reason is told, what was confirmed is there, clicks are answered."""
    if subprocess.run(["unshare", "--mount", "true"], check=False, capture_output=True).returncode:
        say("a full disk", "not tried", "no right to mount one")
        return
    place = folder / "disk"
    with image_server(photo.parent) as images, backend(folder / "full", on_disk=place) as server:
        asked = questions(images, photo.name)
        alone = [server.answer(question) for question in asked]
        told = confirm(lambda number: server.accept(number) == 200)
        status = server.accept(told)
        again = [server.answer(question) for question in asked]
        inside = Path(f"/proc/{server.pid}/root") / str(place / "backend").lstrip("/")
        for file in inside.glob("records.sqlite*"):  # copied: SQLite finds no way through another's root
            shutil.copy(file, folder)
        (rows,) = sqlite3.connect(folder / "records.sqlite").execute("SELECT COUNT(*) FROM annotations").fetchone()
    expect(status == 507 and rows == told, f"status {status}, {told} confirmed, {rows} kept")
    expect(again == alone, "clicks are answered otherwise on a full disk")
    say("backend on a full disk: annotations confirmed", told, f"{rows} kept; then 507, and clicks answered as before")
    photos = copied(photo, folder / "full photos")
    store = photos / PROJECT_FOLDER
    with App(folder / "full app", photos, store) as app:
        runs = some_runs(app)
        told = confirm(lambda number: app.accept(number, runs).get("revision") == number + 1)
        reason = str(app.accept(told, runs).get("error"))
        kept = len(app.ask("labels", picture=1)["objects"])
    expect("disk" in reason and kept == told, f"told {reason!r}, {told} confirmed, {kept} kept")
    say("app on a full disk: objects confirmed", told, f"{kept} kept; then: {reason[:90]}")


# a long day


def soak(amounts: Amounts, folder: Path, photo: Path) -> None:
    """Both servers at work beside trouble, their memory and open files watched."""
    samples: dict[str, list[tuple[float, int]]] = {"backend": [], "app": []}
    worked: Counter[str] = Counter()
    end = time.monotonic() + 60 * amounts.soak_minutes
    photos = copied(photo, folder / "soak photos")
    with image_server(photo.parent) as images, backend(folder / "soak") as server, App(folder, photos) as app:
        asked = questions(images, photo.name)
        runs = some_runs(app)
        with trouble(server.url, 1):
            while time.monotonic() < end:
                for question in asked[:: max(1, QUESTIONS // 10)]:
                    server.answer(question)
                    worked["clicks at the backend"] += 1
                worked["objects in the app"] += work_in_app(app, runs, worked["objects in the app"])
                for name, pid in (("backend", server.pid), ("app", app.pid)):
                    samples[name].append(usage(pid))
    done = ", ".join(f"{number} {what}" for what, number in worked.items())
    say(f"watched for {amounts.soak_minutes:g} minutes", sum(worked.values()), done)
    for name, seen in samples.items():
        tell_growth(name, seen)


def tell_growth(name: str, samples: Sequence[tuple[float, int]]) -> None:
    """Compare what a server held when it had settled with what it holds at the end."""
    fifth = max(1, len(samples) // 5)
    begin = int(SETTLED * len(samples))
    (early, files), (late, files_late) = (
        (statistics.median(memory for memory, _ in part), statistics.median(files for _, files in part))
        for part in (samples[begin : begin + fifth], samples[-fifth:])
    )
    say(f"{name}: memory, open files", f"{early:.0f} MB, {files:.0f}", f"at the end {late:.0f} MB, {files_late:.0f}")
    expect(late - early < MOST_GROWTH_MB, f"the {name}'s memory grows from {early:.0f} to {late:.0f} MB")
    expect(files_late - files < MOST_GROWTH_FILES, f"the {name} keeps files open: {files}, then {files_late}")


def work_in_app(app: App, runs: str, done: int) -> int:
    """A click, an accepted object, and its undoing."""
    answered = app.ask("segment", picture=1, points=[[300 + 20 * (done % PLACES), 300, True]])
    revision = app.ask("labels", picture=1)["revision"]
    item = {"id": "soak", "category": 1, "runs": answered.get("runs") or runs}
    wrote = app.ask("write", picture=1, revision=revision, changes=[{"id": "soak", "object": item}])
    app.ask("write", picture=1, revision=wrote["revision"], changes=[{"id": "soak", "object": None}])
    return 1


def usage(pid: int) -> tuple[float, int]:
    """Resident memory [MB] and open files of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    kilobytes = int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])
    return kilobytes / 1024, len(list(Path(f"/proc/{pid}/fd").iterdir()))


PARTS = {"answers": same_answers, "kill": killed, "disk": full_disk, "soak": soak}


def read_arguments(arguments: Sequence[str] | None = None) -> tuple[list[str], Amounts]:
    """Which parts, and how much."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)} (default: all)")
    parser.add_argument("--answers", type=int, default=3_000, help="asked for by all threads together (%(default)s)")
    parser.add_argument("--threads", type=int, default=16, help="people at once (%(default)s)")
    parser.add_argument("--kills", type=int, default=5, help="of each server (%(default)s)")
    parser.add_argument("--soak-minutes", type=float, default=10, help="both servers are watched (%(default)s)")
    given = parser.parse_args(arguments)
    if unknown := set(given.parts) - set(PARTS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}, wanted some of {', '.join(PARTS)}")
    return given.parts or list(PARTS), Amounts(given.answers, given.threads, given.kills, given.soak_minutes)


def main() -> None:
    """Print the table."""
    parts, amounts = read_arguments()
    print(f"| {os.cpu_count()} cores, {time.strftime('%d %B %Y')}, nano | count | |\n|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        photo = sample_photo(Path(folder))
        for part in parts:
            PARTS[part](amounts, Path(folder), photo)


if __name__ == "__main__":
    main()
