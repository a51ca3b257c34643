"""What a project survives: a killed server, a full disk, a folder that may not be written."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from clickmask.web.photos.project import Project
from clickmask.web.photos.records import Category

ROOT = Path(__file__).resolve().parents[2]
ACCEPT_200 = """
    import sys
    from pathlib import Path
    from clickmask.web.photos.project import Project
    from clickmask.web.photos.records import LabeledObject

    project = Project(Path(sys.argv[1]))
    picture = project.pictures()[0].id
    for number in range(200):
        counts = "AAAA" * int(sys.argv[2])
        project.write(picture, number, {str(number): LabeledObject(str(number), 1, counts)})
        print(number, flush=True)  # acknowledged: from here on it must never be lost
"""


def start(script: str, *arguments: str, **more: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", textwrap.dedent(script), *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)  # type: ignore[call-overload, no-any-return]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    project = Project(tmp_path / "project.db")
    project.add_pictures([("a.jpg", 40, 30)])
    project.save_categories([Category(1, "cat", "#ff0000")])
    project.close()
    return project.file


@pytest.mark.parametrize("kill_after", [1, 57, 120])
def test_kill_9_in_the_middle_of_200_accepts_loses_nothing(file: Path, kill_after: int) -> None:
    server = start(ACCEPT_200, str(file), "700")
    assert server.stdout is not None
    for _ in range(kill_after):
        server.stdout.readline()
    server.send_signal(signal.SIGKILL)
    acknowledged = kill_after + server.stdout.read().count("\n")
    server.communicate()
    assert acknowledged < 200, "the server was done before it was killed"

    project = Project(file)
    kept = [item.id for item in project.objects(project.pictures()[0].id)]
    assert kept[:acknowledged] == [str(number) for number in range(acknowledged)]
    assert len(kept) <= acknowledged + 1  # the one under way may have reached the disk
    assert project.pictures()[0].revision == len(kept)
    assert project.write(project.pictures()[0].id, len(kept), {}) == len(kept) + 1


def limit_file_size() -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))


def test_a_full_disk_is_a_clear_message_and_keeps_what_was_accepted(file: Path) -> None:
    server = start(ACCEPT_200, str(file), "4000", preexec_fn=limit_file_size)
    said, trouble = server.communicate(timeout=60)
    assert server.returncode != 0
    assert "the disk is full or broken; free some space and try again" in trouble
    acknowledged = said.count("\n")
    project = Project(file)
    assert acknowledged > 0
    assert len(project.objects(project.pictures()[0].id)) == acknowledged
    assert project.write(project.pictures()[0].id, acknowledged, {}) == acknowledged + 1


OPEN_READ_ONLY = """
    import os, sys
    from pathlib import Path
    from PIL import Image
    from tests.web.photos import open_library
    Image.init()
    if os.getuid() == 0:
        os.setuid(65534)  # root may write anywhere
    folder, home = Path(sys.argv[1]), Path(sys.argv[2])
    opened = open_library(folder, home).folder(folder)
    print(opened.store)
    print(len(opened.project.pictures()))
"""


def test_labels_of_a_read_only_folder_are_kept_in_the_home_folder(tmp_path: Path) -> None:
    from tests.web.photos import write_photo

    folder, home = tmp_path / "photos", tmp_path / "home"
    write_photo(folder / "a.png")
    home.mkdir()
    (tmp_path / "uploads").mkdir()
    home.chmod(0o777)
    folder.chmod(0o555)
    for above in (tmp_path, *tmp_path.parents[:3]):
        above.chmod(0o755)
    process = start(OPEN_READ_ONLY, str(folder), str(home))
    said, trouble = process.communicate(timeout=60)
    folder.chmod(0o755)
    assert process.returncode == 0, trouble
    store, count = said.split()
    assert Path(store).is_relative_to(home / "labels")
    assert count == "1"
