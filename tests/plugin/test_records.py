"""What people accepted is on disk before the webhook is answered, with the prompt it came from."""

from __future__ import annotations

import copy
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from clickmask.decoder import Engine
from clickmask.plugin.__main__ import main
from clickmask.plugin.build import Backend
from clickmask.plugin.errors import RecordsError, RequestError
from clickmask.plugin.records.records import Records
from tests.plugin.conftest import Body, recorded, setup_body
from tests.plugin.discs import disc_model
from tests.plugin.studio_server import Studio


def accepted(backend: Backend) -> Body:
    """Click, accept the answer, submit: the webhook's body."""
    (prediction,) = backend.predictor.predict(recorded("click_and_alt_click")).body["results"]
    body = recorded("annotation_created")
    body["annotation"]["result"] = [
        {name: value for name, value in region.items() if name != "readonly"} | {"origin": "manual"}
        for region in prediction["result"]
    ]
    return body


def test_an_accepted_answer_is_kept_with_its_prompt(backend: Backend) -> None:
    body = accepted(backend)
    assert backend.predictor.fit("ANNOTATION_CREATED", body)["ours"] == 1
    (example,) = backend.records.examples()
    assert example["data"] == {"image": "/data/upload/1/40badb0e-cheetah.jpg"}
    assert example["region"] == body["annotation"]["result"][0]
    assert example["model_version"] == "clickmask-nano"
    first, second = example["prompt"]["points"]
    assert (first["x"], first["positive"], second["positive"]) == (pytest.approx(251.248, abs=1e-3), True, False)


def test_predictions_accepted_by_one_command_are_kept(backend: Backend) -> None:
    """Label Studio's "create annotations from predictions" tells of all of them in one event."""
    body = accepted(backend)
    first, task = body["annotation"] | {"task": body["task"]["id"]}, body["task"]
    second = first | {"id": first["id"] + 1, "task": task["id"] + 1, "result": []}
    other = task | {"id": task["id"] + 1, "data": {"image": "/data/other.jpg"}}
    many = body | {"annotation": [second, first], "task": [other, task]}
    counts = backend.predictor.fit("ANNOTATIONS_CREATED", many)
    assert (counts["annotations"], counts["ours"]) == (2, 1)
    (example,) = backend.records.examples()
    assert example["data"] == task["data"]


def test_regions_that_a_person_drew_are_no_examples(backend: Backend) -> None:
    assert backend.predictor.fit("ANNOTATION_CREATED", recorded("annotation_created"))["ours"] == 0
    assert list(backend.records.examples()) == []


def test_a_changed_annotation_replaces_the_old_one(backend: Backend) -> None:
    body = accepted(backend)
    backend.predictor.fit("ANNOTATION_CREATED", body)
    changed = copy.deepcopy(body)
    changed["annotation"]["result"][0]["value"]["points"] = [[0, 0], [1, 0], [1, 1]]
    backend.predictor.fit("ANNOTATION_UPDATED", changed)
    (example,) = backend.records.examples()
    assert example["region"]["value"]["points"] == [[0, 0], [1, 0], [1, 1]]


def test_a_deleted_annotation_is_no_example(backend: Backend) -> None:
    backend.predictor.fit("ANNOTATION_CREATED", accepted(backend))
    backend.predictor.fit("ANNOTATIONS_DELETED", recorded("annotations_deleted"))
    assert list(backend.records.examples()) == []


PLAIN = """<View><Image name="image" value="$image"/>
<Labels name="label" toName="image"><Label value="Animal"/></Labels>
<KeyPointLabels name="point" toName="image" smart="true"><Label value="Animal"/></KeyPointLabels>
<Brush name="brush" toName="image"/></View>"""


def test_answers_of_a_tag_without_labels_are_kept_with_their_label(
    backend: Backend, caplog: pytest.LogCaptureFixture
) -> None:
    """A region and the item of its label share an id; no answer of such a project was ever recorded."""
    click = recorded("click") | {"label_config": PLAIN}
    (prediction,) = backend.predictor.predict(click).body["results"]
    assert [item["type"] for item in prediction["result"]] == ["brush", "labels"]
    body = recorded("annotation_created")
    body["annotation"]["result"] = prediction["result"]
    assert backend.predictor.fit("ANNOTATION_CREATED", body)["ours"] == 1
    (example,) = backend.records.examples()
    assert (example["region"]["type"], example["region"]["value"]["labels"]) == ("brush", ["Animal"])
    assert caplog.text == ""


def test_a_skipped_annotation_is_no_example(backend: Backend) -> None:
    body = accepted(backend)
    backend.predictor.fit("ANNOTATION_CREATED", body)
    body["annotation"]["was_cancelled"] = True
    backend.predictor.fit("ANNOTATION_UPDATED", body)
    assert list(backend.records.examples()) == []


def test_two_label_studios_are_kept_apart(backend: Backend) -> None:
    """Both count their projects and annotations from 1."""
    body, other = accepted(backend), accepted(backend)
    other["project"]["created_at"] = "2020-01-01T00:00:00Z"
    backend.predictor.fit("ANNOTATION_CREATED", body)
    backend.predictor.fit("ANNOTATION_CREATED", other)
    assert len(list(backend.records.examples())) == 2


def test_records_survive_a_restart(make_backend: Callable[..., Backend], studio: Studio) -> None:
    first = make_backend()
    first.predictor.setup(setup_body(studio))
    body = accepted(first)
    second = make_backend()  # the answer was given before the restart, and is accepted after it
    assert second.predictor.fit("ANNOTATION_CREATED", body)["ours"] == 1


def test_records_survive_a_killed_process(tmp_path: Path) -> None:
    """What was confirmed is there after the process died without closing anything."""
    path = tmp_path / "records.sqlite"
    program = (
        "import os, sys; from pathlib import Path; from clickmask.plugin.records.records import Records\n"
        "records = Records(Path(sys.argv[1]))\n"
        "for n in range(100): records.accepted('1.2', {'id': n}, {'id': n, 'result': [{'id': 'a'}]})\n"
        "os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", program, str(path)], check=False, timeout=300)
    assert done.returncode == -9
    with sqlite3.connect(path) as database:
        assert database.execute("SELECT COUNT(*) FROM regions").fetchone() == (100,)
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()


def test_tokens_are_not_written_down(backend: Backend, studio: Studio, tmp_path: Path) -> None:
    backend.predictor.predict(recorded("click"))
    written = b"".join(path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file())
    assert b"0123456789abcdef" not in written


@pytest.mark.parametrize("name", ["annotation", "task"])
def test_a_webhook_without_its_object_is_told(name: str, tmp_path: Path, backend: Backend) -> None:
    body = recorded("annotation_created")
    del body[name]
    with pytest.raises(RequestError, match=f"the webhook's '{name}': the record is None"):
        backend.predictor.fit("ANNOTATION_CREATED", body)


def test_old_answers_nobody_accepted_are_dropped(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clickmask.plugin.records.records.KEPT_ANSWERS", 3)
    for _ in range(10):
        backend.predictor.predict(recorded("click"))
    count = backend.records._database.execute("SELECT COUNT(*) FROM answers").fetchone()
    assert count == (3,)


def test_the_folder_is_private(tmp_path: Path) -> None:
    Records(tmp_path / "new" / "records.sqlite").close()
    assert (tmp_path / "new").stat().st_mode & 0o077 == 0


def fill(backend: Backend) -> None:
    """Let the database grow no more: what SQLite says then is what it says on a full disk."""
    backend.records._database.execute("PRAGMA max_page_count = 1")
    with pytest.raises(RecordsError, match="disk is full"):
        backend.records.remember_project("9.9", "x" * 100_000, None)


def test_on_a_full_disk_clicks_are_answered(
    make_backend: Callable[..., Backend], studio: Studio, tmp_path: Path
) -> None:
    """Neither the image, nor its embedding, nor the prompt can be kept: the person gets the mask all the same."""
    embeddings = tmp_path / "embeddings"
    backend = make_backend(lambda _: Engine(disc_model(), store_folder=embeddings))
    fill(backend)
    for folder in (backend.settings.data_dir / "images", embeddings):
        folder.write_text("a file where a folder should be")
    backend.predictor.setup(setup_body(studio, extra_params={"largest_part": True, "answer": ["p" * 10_000]}))
    backend.predictor.setup(setup_body(studio))
    (prediction,) = backend.predictor.predict(recorded("click")).body["results"]
    assert prediction["result"]


def test_on_a_full_disk_nobody_is_told_that_an_annotation_was_recorded(backend: Backend) -> None:
    body = accepted(backend)
    fill(backend)
    body["task"]["data"]["text"] = "x" * 100_000
    with pytest.raises(RecordsError, match=r"records\.sqlite cannot be used: database or disk is full"):
        backend.predictor.fit("ANNOTATION_CREATED", body)


def test_a_folder_that_cannot_be_written_to_stops_the_program_with_a_message(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    assert main(["--data-dir", str(tmp_path / "file" / "data")]) == 2
    assert capsys.readouterr().err.startswith(f"error: the records in {tmp_path}/file/data/records.sqlite cannot be")
