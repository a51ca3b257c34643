"""One truth per picture, whichever folder it is looked at from; odd names, replaced pictures, older files."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from clickmask.decoder import DatasetError, ImageError, Size
from clickmask.decoder.shapes import mask_to_rle
from clickmask.web.browser_rle import mask_to_runs
from clickmask.web.photos.export import export_request, run_export
from clickmask.web.photos.library import Library, OpenFolder
from clickmask.web.photos.project import Project
from clickmask.web.photos.records import Category, LabeledObject
from tests.web.photos import open_library, write_photo

SIZE = Size(40, 60)


def square(side: int = 10) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    mask = np.zeros((40, 60), np.bool_)
    mask[5 : 5 + side, 5 : 5 + side] = True
    return mask


def counts(side: int = 10) -> str:
    return mask_to_rle(square(side))["counts"]


def label(folder: OpenFolder, name: str, key: str = "x", side: int = 10) -> None:
    picture = next(picture for picture in folder.pictures() if picture.name == name)
    folder.project.write(picture.id, picture.revision, {key: LabeledObject(key, 1, counts(side))})


def seen(folder: OpenFolder) -> dict[str, int]:
    return {picture.name: picture.object_count for picture in folder.pictures()}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("root/a.png", "root/hard/b.png", "root/hard/deep/c.png"):
        write_photo(tmp_path / name)
    return tmp_path / "root"


@pytest.fixture
def library(root: Path) -> Library:
    return open_library(root, root.parent / "home")


def test_labels_of_a_subfolder_are_told_in_its_parent_and_cannot_be_made_twice(library: Library, root: Path) -> None:
    label(library.refreshed(root / "hard"), "b.png")
    above = library.refreshed(root)
    assert seen(above) == {"a.png": 0}
    (part,) = above.parts
    assert (part.name, part.path, part.pictures, part.done, part.objects) == ("hard", root / "hard", 2, 0, 1)


def test_labels_made_in_the_parent_are_there_in_the_subfolder_and_the_other_way_round(
    library: Library, root: Path
) -> None:
    label(library.refreshed(root), "hard/deep/c.png")
    below = library.refreshed(root / "hard")
    assert seen(below) == {"b.png": 0, "deep/c.png": 1}
    assert below.below == "hard/"
    label(below, "b.png", "y")
    assert seen(library.refreshed(root)) == {"a.png": 0, "hard/b.png": 1, "hard/deep/c.png": 1}
    assert library.refreshed(root).parts == []


def test_looking_at_a_folder_without_labeling_decides_nothing(library: Library, root: Path) -> None:
    library.refreshed(root / "hard")
    label(library.refreshed(root), "hard/b.png")
    assert seen(library.refreshed(root / "hard")) == {"b.png": 1, "deep/c.png": 0}


def test_a_subfolder_that_is_looked_at_does_not_lose_the_pictures_beside_it(library: Library, root: Path) -> None:
    label(library.refreshed(root), "a.png")
    label(library.refreshed(root), "hard/b.png", "y")
    library.refreshed(root / "hard")
    assert not any(picture.missing for picture in library.refreshed(root).pictures())


def test_labels_that_an_older_release_made_in_both_places_are_united_once(root: Path, tmp_path: Path) -> None:
    for place, name, key, side in ((root, "hard/b.png", "above", 8), (root / "hard", "b.png", "below", 12)):
        project = Project(place / ".clickmask/project.db")
        project.save_categories([Category(1, "thing", "#ff0000")])
        project.add_pictures([(name, 60, 40)])
        project.write(1, 0, {key: LabeledObject(key, 1, counts(side))})
        project.close()
    library = open_library(root, tmp_path / "home")
    assert [part.objects for part in library.refreshed(root).parts] == [2]
    below = library.refreshed(root / "hard")
    assert {item.counts for item in below.project.objects(1)} == {counts(8), counts(12)}
    below.project.write(1, below.project.picture(1).revision, {"below": None})
    assert [part.objects for part in library.refreshed(root).parts] == [1]  # what was deleted stays deleted


def test_the_export_of_a_folder_whose_labels_are_kept_above_is_its_own(library: Library, root: Path) -> None:
    label(library.refreshed(root), "hard/b.png")
    label(library.refreshed(root), "a.png", "y")
    folder = library.refreshed(root / "hard")
    for picture in folder.pictures():
        folder.project.set_status(picture.id, "done")
    result = run_export(export_request(folder), lambda _done, _total: None)
    data = json.loads(Path(result["path"]).read_text())
    assert [image["file_name"] for image in data["images"]] == ["b.png", "deep/c.png"]
    assert len(data["annotations"]) == 1


def test_names_that_are_no_text_are_told_and_the_rest_opens(library: Library, root: Path) -> None:
    shutil.copyfile(root / "a.png", os.fsencode(root) + b"/bad\xff\xfename.png")
    (Path(os.fsdecode(os.fsencode(root) + b"/dir\xff"))).mkdir()
    folder = library.refreshed(root)
    assert seen(folder) == {"a.png": 0, "hard/b.png": 0, "hard/deep/c.png": 0}
    (told,) = folder.unreadable.values()
    assert told == "bad\\xff\\xfename.png: the name of this file is not UTF-8: rename it"
    assert [path.name for path in library.subfolders(root)] == ["hard"]


def test_pictures_of_kinds_that_are_not_read_are_counted(library: Library, root: Path) -> None:
    for number in range(3):
        (root / f"IMG_{number}.HEIC").write_bytes(b"....ftypheic")
    assert list(library.refreshed(root).unreadable.values()) == [
        "3 pictures of a kind that is not read (.heic): convert them to JPEG"
    ]


def test_names_are_in_natural_order(library: Library, root: Path) -> None:
    for number in (10, 9, 1, 100):
        write_photo(root / f"img_{number}.png")
    names = [picture.name for picture in library.refreshed(root).pictures() if picture.name.startswith("img")]
    assert names == ["img_1.png", "img_9.png", "img_10.png", "img_100.png"]


def test_a_picture_that_was_replaced_by_one_of_another_size_is_told_and_nothing_wrong_is_written(
    library: Library, root: Path
) -> None:
    label(library.refreshed(root), "a.png")
    folder = library.folder(root)
    folder.project.set_status(1, "done")
    write_photo(root / "a.png", width=45, height=30)
    picture = folder.picture(1)
    with pytest.raises(ImageError, match=r"a\.png is 45x30 now, and was 60x40 when it was labeled"):
        folder.same_size(picture)  # before anybody looked
    picture = library.refreshed(root).pictures()[0]
    assert (picture.replaced, picture.missing, picture.object_count) == ("45x30", False, 1)
    assert (picture.width, picture.height) == (60, 40)
    with pytest.raises(DatasetError, match="nothing to export: got 1 replaced"):
        run_export(export_request(folder), lambda _done, _total: None)
    folder.project.write(1, 1, {"x": None})
    picture = library.refreshed(root).pictures()[0]
    assert (picture.replaced, picture.width, picture.height) == (None, 45, 30)


def test_copies_of_pictures_are_upright_as_their_masks(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    place = tmp_path / "turned"
    place.mkdir()
    Image.new("RGB", (60, 40)).save(place / "a.jpg", exif=exif)
    folder = open_library(place, tmp_path / "home").folder(place)
    folder.project.set_status(1, "done")
    mask = np.zeros((60, 40), np.bool_)
    mask[5:20, 5:20] = True
    folder.project.write(1, 0, {"x": LabeledObject("x", 1, mask_to_rle(mask)["counts"])})
    archive = run_export(export_request(folder, file_format="voc"), lambda _done, _total: None)["path"]
    shutil.unpack_archive(archive, tmp_path / "voc")
    sizes = {}
    for path in (tmp_path / "voc").rglob("a.*"):
        if path.suffix != ".xml":
            with Image.open(path) as copy:  # as programs read it that know nothing of notes how to turn it
                sizes[path.suffix] = copy.size
    assert sizes == {".jpg": (40, 60), ".png": (40, 60)}


FORMAT_1 = """
CREATE TABLE picture (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, width INTEGER NOT NULL, height INTEGER NOT NULL,
    status TEXT NOT NULL DEFAULT 'todo', revision INTEGER NOT NULL DEFAULT 0, missing INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE category (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, color TEXT NOT NULL);
CREATE TABLE object (
    id TEXT PRIMARY KEY, picture INTEGER NOT NULL REFERENCES picture(id), category INTEGER NOT NULL,
    runs TEXT NOT NULL, prompts TEXT NOT NULL, score REAL, source TEXT NOT NULL
);
CREATE INDEX object_picture ON object(picture);
CREATE TABLE history (
    picture INTEGER NOT NULL REFERENCES picture(id), revision INTEGER NOT NULL, time REAL NOT NULL,
    changes TEXT NOT NULL, PRIMARY KEY (picture, revision)
);
CREATE TABLE memory (key TEXT PRIMARY KEY, value TEXT NOT NULL);
PRAGMA user_version = 1;
"""


def test_a_project_of_the_first_release_keeps_masks_states_and_history(root: Path) -> None:
    file = root / ".clickmask/project.db"
    file.parent.mkdir()
    runs = mask_to_runs(square())
    item = {"id": "x", "category": 1, "runs": runs, "prompts": "{}", "score": 0.5, "source": "click"}
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(FORMAT_1)
        connection.execute("INSERT INTO picture VALUES (1, 'a.png', 60, 40, 'done', 1, 0)")
        connection.execute("INSERT INTO category VALUES (1, 'cat', '#ff0000')")
        connection.execute("INSERT INTO object VALUES ('x', 1, 1, ?, '{}', 0.5, 'click')", (runs,))
        changes = json.dumps([{"id": "x", "before": None, "after": item}])
        connection.execute("INSERT INTO history VALUES (1, 1, 0, ?)", (changes,))
        connection.commit()
    folder = open_library(root, root.parent / "home").refreshed(root)
    (kept,) = folder.project.objects(1)
    assert kept == LabeledObject("x", 1, counts(), score=0.5)
    (write,) = folder.project.history(1)
    assert write.changes[0].after == kept
    assert folder.project.picture(1).status == "done"
    fresh = Project(root.parent / "fresh.db")
    for table in ("picture", "category", "object", "history", "box", "memory"):
        columns = [
            {row[1:4] for row in project.database.rows(f"PRAGMA table_info({table})")}
            for project in (fresh, folder.project)
        ]
        assert columns[0] == columns[1], table
