"""The streaming reader agrees with the standard library on all JSON, and names the place of what is none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clickmask.decoder.errors import DatasetError
from clickmask.decoder.formats import json_reader
from clickmask.decoder.formats.json_reader import TOP_LEVEL, read_elements, read_elements_after, read_json
from tests.fuzz import fuzz

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=20,
)


@pytest.fixture(params=[1, 7, 1 << 18])
def chunks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reads of one character, of a few, and of many, so that values are cut at every place."""
    monkeypatch.setattr(json_reader, "CHUNK_CHARS", request.param)


@pytest.mark.usefixtures("chunks")
@fuzz(100)
@given(document=st.dictionaries(st.text(max_size=4), VALUES, max_size=4), indent=st.sampled_from([None, 2]))
def test_objects_of_arrays_come_element_by_element(
    document: dict[str, Any], indent: int | None, tmp_path: Path
) -> None:
    path = tmp_path / "file.json"
    path.write_text(json.dumps(document, indent=indent), encoding="utf-8")
    read: dict[str, Any] = {key: [] for key, value in document.items() if isinstance(value, list)}
    for key, element, in_array in read_elements(path):
        assert in_array == (key in read)
        if in_array:
            read[key].append(element)
        else:
            read[key] = element
    assert read == document


@pytest.mark.usefixtures("chunks")
@fuzz(100)
@given(document=st.lists(VALUES, max_size=6))
def test_an_array_comes_element_by_element(document: list[Any], tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    path.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8", errors="replace")
    expected = json.loads(path.read_text(encoding="utf-8"))
    assert list(read_elements(path)) == [(TOP_LEVEL, element, True) for element in expected]


@fuzz(100)
@given(
    data=st.binary(max_size=60) | st.text(alphabet='[]{}",:0123456789.eE+-ntrufals \n\\', max_size=40).map(str.encode)
)
def test_only_dataset_errors_escape_and_what_the_standard_library_takes_is_taken(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    path.write_bytes(data)
    if _is_json_of_arrays(data):
        list(read_elements(path))
    else:
        with pytest.raises(DatasetError, match=r"file\.json"):
            list(read_elements(path))


def _is_json_of_arrays(data: bytes) -> bool:
    try:
        return isinstance(json.loads(data.decode("utf-8-sig")), dict | list)
    except ValueError:
        return False


def test_nesting_bombs_are_refused_without_memory_or_traceback(tmp_path: Path) -> None:
    """A streaming parser that builds dotted paths needs gigabytes for this 100 kB file."""
    path = tmp_path / "bomb.json"
    path.write_text('{"images": ' + "[" * 100_000)
    with pytest.raises(DatasetError, match="nested too deep"):
        list(read_elements(path))
    with pytest.raises(DatasetError, match="is not JSON"):
        read_json(path)


def test_the_broken_place_is_named_and_elements_before_it_arrive(tmp_path: Path) -> None:
    path = tmp_path / "cut.json"
    path.write_text('{"images": [{"id": 1}, {"id": 2}, {"id"')
    elements = read_elements(path)
    assert [next(elements)[:2], next(elements)[:2]] == [("images", {"id": 1}), ("images", {"id": 2})]
    with pytest.raises(DatasetError, match="character 34"):
        next(elements)


def test_a_byte_order_mark_is_no_obstacle(tmp_path: Path) -> None:
    path = tmp_path / "windows.json"
    path.write_bytes(b'\xef\xbb\xbf{"images": [1]}')
    assert list(read_elements(path)) == [("images", 1, True)]


def test_elements_that_come_too_early_wait_for_those_they_refer_to(tmp_path: Path) -> None:
    path = tmp_path / "early.json"
    path.write_text('{"annotations": [1, 2], "info": {}, "images": [3]}')
    elements = read_elements_after(path, late="annotations", needed="images")
    assert list(elements) == [
        ("info", {}, False),
        ("images", 3, True),
        ("annotations", 1, True),
        ("annotations", 2, True),
    ]


def test_a_missing_file_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="No such file"):
        list(read_elements(tmp_path / "missing.json"))
