"""Labels are where a person looks for them: in the one file, and a copy that lacks some says so."""

from __future__ import annotations

import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from clickmask.web import database
from clickmask.web.database import Database
from tests.e2e_web.server import app_command, wait_until_up
from tests.ports import free_port
from tests.web.photos import write_photo

SCHEMA = "CREATE TABLE thing (name TEXT NOT NULL)"
ROOT = Path(__file__).resolve().parents[2]


def things(file: Path) -> list[str]:
    """What another program finds in the file alone."""
    copy = file.with_name("alone.db")
    shutil.copyfile(file, copy)
    with closing(sqlite3.connect(copy)) as connection:
        return [name for (name,) in connection.execute("SELECT name FROM thing")]


def put(opened: Database, name: str) -> None:
    with opened.transaction() as connection:
        connection.execute("INSERT INTO thing VALUES (?)", (name,))


def test_a_resting_file_holds_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = Database(tmp_path / "a.db", SCHEMA, 1)
    put(opened, "first")
    opened.rest()
    assert things(opened.file) == []  # just written: not yet
    monkeypatch.setattr(database, "RESTING_S", 0.0)
    opened.rest()
    assert things(opened.file) == ["first"]
    put(opened, "second")
    opened.close()
    assert things(opened.file) == ["first", "second"]
    assert not opened.file.with_name("a.db-wal").exists()


def test_a_file_that_nobody_closed_is_whole_all_the_same(tmp_path: Path) -> None:
    opened = Database(tmp_path / "a.db", SCHEMA, 1)
    put(opened, "first")
    del opened
    assert things(tmp_path / "a.db") == ["first"]
    assert Database(tmp_path / "a.db", SCHEMA, 1).loss is None


def test_a_copy_without_what_lay_beside_it_says_so(tmp_path: Path) -> None:
    opened = Database(tmp_path / "a.db", SCHEMA, 1)
    put(opened, "first")
    (tmp_path / "away").mkdir()
    shutil.copyfile(opened.file, tmp_path / "away/a.db")
    copied = Database(tmp_path / "away/a.db", SCHEMA, 1)
    assert copied.loss is not None
    assert "without the file a.db-wal" in copied.loss
    shutil.copyfile(opened.file, tmp_path / "both.db")
    shutil.copyfile(opened.file.with_name("a.db-wal"), tmp_path / "both.db-wal")
    both = Database(tmp_path / "both.db", SCHEMA, 1)
    assert both.loss is None
    assert both.rows("SELECT name FROM thing") == [("first",)]
    opened.close()
    shutil.copyfile(opened.file, tmp_path / "whole.db")
    assert Database(tmp_path / "whole.db", SCHEMA, 1).loss is None


def test_a_file_of_an_older_release_without_its_other_half_says_so(tmp_path: Path) -> None:
    """There the file itself was empty as long as the app ran, and after it."""
    with closing(sqlite3.connect(tmp_path / "a.db")) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    assert (tmp_path / "a.db").stat().st_size == 4096
    assert Database(tmp_path / "a.db", SCHEMA, 1).loss is not None


def test_two_processes_at_one_file_lose_nothing(tmp_path: Path) -> None:
    one, other = (Database(tmp_path / "a.db", SCHEMA, 1) for _ in range(2))
    for number in range(6):
        put((one, other)[number % 2], str(number))
        (other, one)[number % 2].make_whole()
    one.close()
    other.close()
    assert things(tmp_path / "a.db") == [str(number) for number in range(6)]
    assert Database(tmp_path / "a.db", SCHEMA, 1).loss is None


def test_a_file_is_brought_to_the_present_version_once(tmp_path: Path) -> None:
    Database(tmp_path / "a.db", SCHEMA, 1).close()
    steps: list[int] = []

    def step(number: int) -> database.Migration:
        return lambda _connection: steps.append(number)

    migrations = {1: step(1), 2: step(2)}
    for _ in range(2):
        Database(tmp_path / "a.db", SCHEMA, 3, migrations).close()
    assert steps == [1, 2]


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_the_labels_of_an_app_that_was_ended_are_in_the_one_file(tmp_path: Path, ending: signal.Signals) -> None:
    root, port = tmp_path / "photos", free_port()
    write_photo(root / "a.png")
    log = tmp_path / "log.txt"
    command = app_command(port, tmp_path / "home", "--root", str(root))
    with log.open("w") as output:
        process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)
    url = f"http://127.0.0.1:{port}/"
    try:
        wait_until_up(url, process, log)
        file = root / ".clickmask/project.db"
        write = "from tests.web.running_app import write_status; import sys; write_status(*sys.argv[1:])"
        subprocess.run([sys.executable, "-c", write, url, str(root)], cwd=ROOT, check=True, timeout=120)
        process.send_signal(ending)
        assert process.wait(60) == 0, log.read_text()
    finally:
        process.kill()
        process.wait()
    assert not file.with_name("project.db-wal").exists()
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("SELECT name, status FROM picture").fetchall() == [("a.png", "skipped")]
