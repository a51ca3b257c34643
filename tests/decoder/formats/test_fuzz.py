"""Whatever is in a file, a reader raises nothing but the product's own errors."""

from __future__ import annotations

import copy
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clickmask.decoder.errors import ClickMaskError
from clickmask.decoder.formats.mots.dataset import parse_line as parse_mots_line
from clickmask.decoder.formats.options import ReadOptions, WriteOptions
from clickmask.decoder.formats.registry import FORMATS
from clickmask.decoder.formats.yolo.lines import parse_line as parse_yolo_line
from clickmask.decoder.prompts import Size
from tests.decoder.formats.samples import sample_dataset, sample_video, write_pictures
from tests.fuzz import fuzz

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL")  # Pillow warns of what it mends in broken TIFFs
JSON_FORMATS = ["coco", "coco-panoptic", "datumaro", "label-studio", "labelme", "qupath", "youtube-vis"]
VIDEO_FORMATS = ["cvat-video", "mots", "mots-png", "youtube-vis"]
TAGS = ["brush", "bitmask", "polygon", "vector", "rectangle", "rotated", "ellipse", "keypoint"]
ODD_NUMBERS = st.sampled_from([-1, 0, 1, 2**31, 2**63, 10**400, -0.5, 1e-320, 1e308, 1e999, float("nan")])
ODD = st.recursive(
    st.none() | st.booleans() | ODD_NUMBERS | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=7) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)
FILES = (".geojson", ".json", ".png", ".tif", ".txt", ".xml", ".yaml")
WORDS = st.lists(st.floats().map(str) | st.integers().map(str) | st.integers(0, 9).map(str), max_size=9).map(" ".join)


@cache
def written(name: str, **options: Any) -> Path:
    """A folder with a sound dataset of the format and its pictures; made once."""
    folder = Path(tempfile.mkdtemp(prefix="clickmask-fuzz-"))
    dataset = sample_video() if name in VIDEO_FORMATS else sample_dataset()
    pictures = write_pictures(dataset, folder / "pictures")
    target = folder / f"out{FORMATS[name].suffix}"
    FORMATS[name].write(dataset, target, WriteOptions(images=pictures, **options))
    return folder


def read_whole(name: str, folder: Path) -> None:
    """Read everything, past every problem."""
    problems: list[ClickMaskError] = []
    target = folder / f"out{FORMATS[name].suffix}"
    try:
        dataset = FORMATS[name].read(target, ReadOptions(images=folder / "pictures", on_problem=problems.append))
        list(dataset.images)
    except ClickMaskError as error:
        problems.append(error)
    assert all(str(problem) for problem in problems)


@contextmanager
def replaced(path: Path, data: bytes) -> Iterator[None]:
    """Put other bytes into a file for a while."""
    sound = path.read_bytes()
    path.write_bytes(data)
    try:
        yield
    finally:
        path.write_bytes(sound)


def damage(document: Any, data: st.DataObject) -> Any:
    """Walk down some way and put an odd value there, or take a key away."""
    if not isinstance(document, dict | list) or not document or data.draw(st.integers(0, 4)) == 0:
        return data.draw(ODD)
    key = data.draw(st.sampled_from(sorted(document) if isinstance(document, dict) else range(len(document))))
    if isinstance(document, dict) and data.draw(st.integers(0, 5)) == 0:
        return {name: value for name, value in document.items() if name != key}
    changed = copy.copy(document)
    changed[key] = damage(document[key], data)
    return changed


def check_damaged_json(name: str, file: Path, folder: Path, data: st.DataObject) -> None:
    document = json.loads(file.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        document = damage(document, data)
    with replaced(file, json.dumps(document).encode()):
        read_whole(name, folder)


@pytest.mark.parametrize("name", JSON_FORMATS)
@fuzz(60)
@given(data=st.data())
def test_json_with_odd_values_in_any_place(name: str, data: st.DataObject) -> None:
    folder = written(name)
    files = sorted(path for path in folder.rglob("*") if path.suffix in (".json", ".geojson"))
    check_damaged_json(name, data.draw(st.sampled_from(files)), folder, data)


@pytest.mark.parametrize("tag", TAGS)
@fuzz(30)
@given(data=st.data())
def test_every_kind_of_label_studio_region_with_odd_values(tag: str, data: st.DataObject) -> None:
    folder = written("label-studio", tag=tag)
    check_damaged_json("label-studio", folder / "out.json", folder, data)


@pytest.mark.parametrize("encoding", ["rle", "counts"])
@fuzz(30)
@given(data=st.data())
def test_run_lengths_with_odd_values(encoding: str, data: st.DataObject) -> None:
    folder = written("coco", encoding=encoding)
    check_damaged_json("coco", folder / "out.json", folder, data)


@pytest.mark.parametrize("name", sorted(FORMATS))
@fuzz(30)
@given(data=st.data())
def test_whatever_was_kept_can_be_written(name: str, data: st.DataObject) -> None:
    folder = written("coco", encoding="rle")
    document = damage(json.loads((folder / "out.json").read_bytes()), data)
    problems: list[ClickMaskError] = []
    with (
        replaced(folder / "out.json", json.dumps(document).encode()),
        tempfile.TemporaryDirectory() as target,
        suppress(ClickMaskError),
    ):
        dataset = FORMATS["coco"].read(folder / "out.json", ReadOptions(on_problem=problems.append))
        FORMATS[name].write(dataset, Path(target) / "out", WriteOptions(on_problem=problems.append))


@pytest.mark.parametrize("name", sorted(FORMATS))
@fuzz(60)
@given(data=st.data())
def test_files_with_bytes_changed_or_cut_off(name: str, data: st.DataObject) -> None:
    folder = written(name)
    files = sorted(path for path in folder.rglob("*") if path.is_file() and "config.xml" not in path.name)
    file = data.draw(st.sampled_from(files))
    damaged = bytearray(file.read_bytes())
    for _ in range(data.draw(st.integers(0, 5))):
        if damaged:
            damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    end = data.draw(st.integers(0, len(damaged)) | st.just(len(damaged)))
    with replaced(file, bytes(damaged[:end])):
        read_whole(name, folder)


@pytest.mark.parametrize("name", sorted(FORMATS))
@fuzz(30)
@given(junk=st.binary(max_size=200))
def test_files_of_junk(name: str, junk: bytes) -> None:
    folder = written(name)
    files = (path for path in sorted(folder.rglob("*")) if path.suffix in FILES)
    file = next(path for path in files if path.is_file())
    with replaced(file, junk):
        read_whole(name, folder)


@fuzz(60)
@given(line=st.text(max_size=60) | WORDS)
def test_yolo_lines(line: str) -> None:
    try:
        parsed = parse_yolo_line(line, Size(9, 7), {0, 1})
        assert parsed.rle["size"] == [9, 7]
    except ClickMaskError:
        pass


@fuzz(60)
@given(line=st.text(max_size=60) | WORDS)
def test_mots_lines(line: str) -> None:
    try:
        parsed = parse_mots_line(line)
        assert parsed.rle["size"] == [parsed.size.height, parsed.size.width]
    except ClickMaskError:
        pass
