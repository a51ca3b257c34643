"""Names inside foreign files never lead out of the folder, and files appear whole or not at all."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clickmask.decoder.errors import DatasetError
from clickmask.decoder.formats.output import inside, write_whole
from tests.fuzz import fuzz


@fuzz(100)
@given(name=st.text(alphabet="./\\ab:~\0", max_size=12) | st.text(max_size=12))
def test_every_name_stays_below_its_folder_or_is_refused(name: str) -> None:
    folder = Path("/data/labels")
    with suppress(DatasetError):
        path = inside(folder, name, ".txt")
        assert path.is_relative_to(folder)
        assert path != folder
        assert ".." not in path.parts


@pytest.mark.parametrize("name", ["..", "a/..", "", "/", "C:\\", "a\0b", "\ud800"])
def test_names_that_lead_out_are_refused(name: str) -> None:
    with pytest.raises(DatasetError, match="leads out of its folder"):
        inside(Path("labels"), name)


@pytest.mark.parametrize("name", ["../../label-studio/data/media/upload/1/a.jpg", "b/../a.jpg", "..\\a.jpg"])
def test_of_a_storage_path_that_leads_up_the_last_part_is_taken(name: str) -> None:
    """Every picture of such an export was left out."""
    assert inside(Path("labels"), name, ".txt") == Path("labels/a.txt")


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")

    def fail() -> None:
        with write_whole(path) as file:
            file.write("half")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_a_file_is_explained(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(DatasetError, match="cannot be written: "), write_whole(tmp_path / "out" / "a.txt"):
        pass
