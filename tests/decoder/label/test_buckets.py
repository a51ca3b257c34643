"""Pictures from a bucket and results into one, on a small S3 of this machine."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer
from PIL import Image

from clickmask.__main__ import main
from clickmask.decoder import DatasetError, ImageError
from clickmask.decoder.formats.folders import Bucket, exists, picture_folder, upload
from tests.decoder.cluster.decoder_server import serving
from tests.decoder.label.test_label import photo
from tests.ports import free_port

pytest.importorskip("pyarrow", reason="buckets need the extra ray: make test-ray")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of boto3


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    port = free_port()
    started = ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
    started.start()
    yield f"127.0.0.1:{port}"
    started.stop()


@pytest.fixture
def options(server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A bucket with two pictures, one file that only says so, and text; what to put behind its address."""
    for name, value in (("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_ACCESS_KEY", "b"), ("AWS_EC2_METADATA_DISABLED", "1")):
        monkeypatch.setenv(name, value)
    client: Any = boto3.client("s3", endpoint_url=f"http://{server}", region_name="us-east-1")
    client.create_bucket(Bucket="photos")
    for index, name in enumerate(("day/a.png", "day/deep/b.PNG")):
        file = io.BytesIO()
        Image.fromarray(photo(index)).save(file, "PNG")
        client.put_object(Bucket="photos", Key=name, Body=file.getvalue())
    client.put_object(Bucket="photos", Key="day/c.jpg", Body=b"no picture")
    client.put_object(Bucket="photos", Key="day/read.me", Body=b"text")
    return f"?scheme=http&endpoint_override={server}&region=us-east-1"


def test_pictures_are_listed_and_read(options: str) -> None:
    folder = picture_folder(f"s3://photos/day{options}")
    assert folder.names() == ["a.png", "c.jpg", "deep/b.PNG"]
    assert (folder.load("deep/b.PNG") == photo(1)).all()
    with pytest.raises(ImageError, match=r"c\.jpg: .* is not a picture"):
        folder.load("c.jpg")
    with pytest.raises(ImageError, match=r"day/none\.jpg cannot be read"):
        folder.load("none.jpg")


def test_a_folder_of_a_bucket_is_labeled_into_a_bucket(
    options: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    out = f"s3://photos/out/labels.json{options}"
    command = ["label", f"s3://photos/day{options}", "--points-per-side", "3", "--out", out]
    assert main(command) == 1
    assert "c.jpg" in capsys.readouterr().err
    assert exists(out)
    assert list(tmp_path.iterdir()) == []
    found = json.loads(Bucket(f"s3://photos/out{options}").read("labels.json"))
    assert [image["file_name"] for image in found["images"]] == ["a.png", "deep/b.PNG"]
    assert main(command) == 1
    assert "exists; --overwrite replaces it" in capsys.readouterr().err


def test_a_bucket_that_cannot_be_used_is_told(options: str, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"s3://nobodys/photos.*cannot be used"):
        Bucket(f"s3://nobodys/photos{options}").names()
    (tmp_path / "a").write_text("a")
    with pytest.raises(DatasetError, match=r"s3://nobodys/a.*cannot be used"):
        upload(tmp_path / "a", f"s3://nobodys/a{options}")
    with pytest.raises(DatasetError, match="no address of a bucket"):
        picture_folder("floppy://a/b").names()


def test_a_bucket_without_rights_is_told(
    options: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    denied = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
    with serving(lambda _: (403, denied)) as address:
        closed = f"?scheme=http&endpoint_override={address.removeprefix('ray://')}&region=us-east-1"
        assert main(["label", f"s3://secret/day{closed}", "--out", "out.json"]) == 1
        told = capsys.readouterr().err
        assert told.startswith("error: s3://secret/day")
        assert "ACCESS_DENIED" in told
        with pytest.raises(DatasetError, match=r"s3://secret/a.*cannot be used.*ACCESS_DENIED"):
            upload(Path(__file__), f"s3://secret/a{closed}")
    assert list(tmp_path.iterdir()) == []


def test_a_run_whose_output_cannot_be_stored_is_not_lost(
    options: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    out = f"s3://photos/kept.json{options}"
    command = ["label", f"s3://photos/day{options}", "--points-per-side", "3", "--out", out]

    def refuse(path: Path, address: str) -> None:
        raise DatasetError(f"{address}: cannot be used: no rights")

    with monkeypatch.context() as broken:
        broken.setattr("clickmask.decoder.commands.label.upload", refuse)
        assert main(command) == 1
    assert {path.name for path in tmp_path.iterdir()} == {"kept.json", "kept.json.journal"}
    assert main(command) == 1  # c.jpg is no picture
    assert exists(out)
    assert list(tmp_path.iterdir()) == []
