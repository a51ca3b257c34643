from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest

from clickmask.decoder import DatasetError
from clickmask.web.errors import ConflictError
from clickmask.web.photos.project import Project
from clickmask.web.photos.records import Category, LabeledObject, Picture

ONE_PIXEL = "01_U1"  # a mask of the pixel (0, 0) in a picture of 40x30


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(tmp_path / "project.db")
    made.add_pictures([("a.jpg", 40, 30), ("b.jpg", 20, 10)])
    made.save_categories([Category(1, "cat", "#ff0000"), Category(2, "dog", "#00ff00")])
    return made


def first(project: Project) -> Picture:
    return project.pictures()[0]


def thing(key: str, category: int = 1) -> LabeledObject:
    return LabeledObject(key, category, ONE_PIXEL, '{"points": [[0.5, 0.5, true]]}', 0.9)


def test_what_was_written_is_there_after_opening_again(project: Project) -> None:
    picture = first(project)
    project.write(picture.id, 0, {"x": thing("x"), "y": thing("y", 2)})
    project.close()
    again = Project(project.file)
    assert again.objects(picture.id) == [thing("x"), thing("y", 2)]
    assert again.picture(picture.id).revision == 1
    assert again.picture(picture.id).object_count == 2


def test_a_write_based_on_an_old_revision_is_refused_and_changes_nothing(project: Project) -> None:
    picture = first(project)
    other_tab = Project(project.file)
    other_tab.write(picture.id, 0, {"theirs": thing("theirs")})
    with pytest.raises(ConflictError, match=r"a\.jpg was changed elsewhere: got revision 0, it is at 1"):
        project.write(picture.id, 0, {"mine": thing("mine")})
    assert [item.id for item in project.objects(picture.id)] == ["theirs"]
    assert project.write(picture.id, 1, {"mine": thing("mine")}) == 2


def test_a_page_that_is_ahead_of_the_file_is_refused_too(project: Project) -> None:
    """The file was put back from a copy: what the page knows of is not in it."""
    with pytest.raises(ConflictError, match="got revision 7, it is at 0"):
        project.write(first(project).id, 7, {"mine": thing("mine")})
    assert project.objects(first(project).id) == []


def test_an_object_of_another_picture_cannot_be_reached(project: Project) -> None:
    a, b = project.pictures()
    project.write(a.id, 0, {"x": thing("x")})
    for after in (thing("x", 2), None):
        with pytest.raises(DatasetError, match=f"object x belongs to picture {a.id}, not to b.jpg"):
            project.write(b.id, 0, {"x": after})
    assert project.objects(a.id) == [thing("x")]
    assert [picture.revision for picture in project.pictures()] == [1, 0]


def test_what_was_undone_does_not_count_and_what_was_done_again_does(project: Project) -> None:
    """Undo after a reload once brought back what had been undone, and ended before the first step."""
    key = first(project).id
    for number in range(3):
        project.write(key, number, {str(number): thing(str(number))})
    project.write(key, 3, {"2": None}, undoes=3)
    assert [write.revision for write in project.history(key)] == [1, 2]
    project.write(key, 4, {"1": None}, undoes=2)
    assert [write.revision for write in project.history(key)] == [1]
    project.write(key, 5, {"1": thing("1")}, undoes=5)  # done again
    assert [write.revision for write in project.history(key)] == [1, 2]
    assert [write.revision for write in project.history(key, last=1)] == [2]
    assert [write.revision for write in project.history(key, last=1, before=2)] == [1]


def test_a_class_can_be_merged_into_another_and_every_history_knows(project: Project) -> None:
    a, b = project.pictures()
    project.write(a.id, 0, {"x": thing("x", 2), "y": thing("y", 1)})
    project.write(b.id, 0, {"z": thing("z", 2)})
    project.merge_category(2, 1)
    assert [item.category for picture in (a, b) for item in project.objects(picture.id)] == [1, 1, 1]
    assert [category.name for category in project.categories()] == ["cat"]
    assert [change.id for change in project.history(a.id)[-1].changes] == ["x"]
    assert project.summaries() == {a.id: ({1: 2}, 0.9), b.id: ({1: 1}, 0.9)}
    with pytest.raises(DatasetError, match="class 2 does not exist"):
        project.merge_category(2, 1)
    with pytest.raises(DatasetError, match="cannot be merged into itself"):
        project.merge_category(1, 1)


def test_a_reviewer_says_what_is_to_be_done_again(project: Project) -> None:
    key = first(project).id
    project.set_status(key, "redo", "the tail is missing")
    project.set_status(key, "accepted")
    assert (first(project).status, first(project).note) == ("accepted", "the tail is missing")


def test_a_write_with_one_bad_change_changes_nothing(project: Project) -> None:
    picture = first(project)
    bad = LabeledObject("bad", 1, None)  # type: ignore[arg-type]
    with pytest.raises(DatasetError):
        project.write(picture.id, 0, {"good": thing("good"), "bad": bad})
    assert project.objects(picture.id) == []
    assert project.picture(picture.id).revision == 0


def test_history_holds_what_every_write_replaced(project: Project) -> None:
    picture = first(project)
    project.write(picture.id, 0, {"x": thing("x")})
    project.write(picture.id, 1, {"x": thing("x", 2)})
    project.write(picture.id, 2, {"x": None})
    changes = [write.changes[0] for write in project.history(picture.id)]
    assert [(change.before, change.after) for change in changes] == [
        (None, thing("x")),
        (thing("x"), thing("x", 2)),
        (thing("x", 2), None),
    ]
    assert len(project.history(picture.id, last=2)) == 2


def test_many_threads_write_without_losing_anything(project: Project) -> None:
    picture = first(project)
    refused = []

    def work(number: int) -> None:
        for i in range(20):
            while True:
                try:
                    revision = project.picture(picture.id).revision
                    project.write(picture.id, revision, {f"{number}-{i}": thing(f"{number}-{i}")})
                    break
                except ConflictError as conflict:
                    refused.append(conflict)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(project.objects(picture.id)) == 80
    assert project.picture(picture.id).revision == 80


def test_a_class_with_objects_cannot_be_removed(project: Project) -> None:
    project.write(first(project).id, 0, {"x": thing("x", 2)})
    with pytest.raises(DatasetError, match=r"still have objects: dog \(1\)"):
        project.save_categories([Category(1, "cat", "#ff0000")])
    assert [category.name for category in project.categories()] == ["cat", "dog"]
    project.save_categories([Category(2, "puppy", "#00ff00")])
    assert [category.name for category in project.categories()] == ["puppy"]


@pytest.mark.parametrize("names", [["a", "a"], ["a", " "]])
def test_class_names_are_unique_and_not_empty(project: Project, names: list[str]) -> None:
    with pytest.raises(DatasetError, match="wanted each once and none empty"):
        project.save_categories([Category(i + 1, name, "#000000") for i, name in enumerate(names)])


def test_a_vanished_picture_keeps_its_labels(project: Project) -> None:
    picture = first(project)
    project.write(picture.id, 0, {"x": thing("x")})
    project.add_pictures([("c.jpg", 5, 5)])
    assert [(row.name, row.missing) for row in project.pictures()] == [("a.jpg", True), ("c.jpg", False)]
    project.add_pictures([("a.jpg", 40, 30), ("c.jpg", 5, 5)])
    assert not first(project).missing
    assert project.objects(picture.id) == [thing("x")]


def test_a_status_is_one_of_five(project: Project) -> None:
    project.set_status(first(project).id, "done")
    assert first(project).status == "done"
    with pytest.raises(DatasetError, match="'finished', wanted one of todo, done, skipped, accepted, redo"):
        project.set_status(first(project).id, "finished")  # type: ignore[arg-type]


def test_a_project_of_a_newer_version_is_left_alone(project: Project) -> None:
    project.close()
    with sqlite3.connect(project.file) as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(DatasetError, match="format 99, wanted at most 2"):
        Project(project.file)


def test_a_damaged_file_is_reported_by_name(tmp_path: Path) -> None:
    file = tmp_path / "project.db"
    file.write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)
    with pytest.raises(DatasetError, match=r"project\.db: the file is damaged"):
        Project(file)
    file.write_bytes(b"hello" * 1000)
    with pytest.raises(DatasetError, match="the file is damaged"):
        Project(file)
