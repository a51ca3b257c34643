"""Segments without clicks, and images encoded before anybody clicks."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import wait
from typing import Any

import pytest

from clickmask.decoder import ClickMaskError
from clickmask.decoder.formats.label_studio import result_to_mask
from clickmask.plugin.__main__ import main
from clickmask.plugin.build import Backend
from clickmask.plugin.commands import open_project, prelabel, warm
from clickmask.plugin.projects.options import read_options
from clickmask.plugin.protocol.replies import PendingReply
from tests.plugin.conftest import Body, picture, recorded, setup_body
from tests.plugin.studio_server import LEGACY, Studio
from tests.plugin.waiting import PATIENCE, wait_until

MakeBackend = Callable[..., Backend]


def box(x: float, label: str = "Animal") -> Body:
    """A rectangle that somebody drew."""
    value = {"x": x, "y": 30, "width": 20, "height": 20, "rotation": 0, "rectanglelabels": [label]}
    names = {"type": "rectanglelabels", "from_name": "box", "to_name": "image", "id": f"box{x}", "origin": "manual"}
    return names | {"original_width": 502, "original_height": 343, "image_rotation": 0, "value": value}


def task(number: int, studio: Studio, *regions: Body) -> Body:
    """A task with an image of its own, and an annotation if there are regions."""
    path = f"/data/upload/1/{number}.png"
    studio.files[path] = picture(brightness=10 * number)
    annotations = [{"id": number, "result": list(regions)}] if regions else []
    return {"id": number, "project": 1, "data": {"image": path}, "annotations": annotations, "predictions": []}


def unprompted(*tasks: Body) -> Body:
    """A request without context, as "Retrieve predictions" sends it."""
    return recorded("task_opened") | {"tasks": list(tasks)}


def test_boxes_of_many_tasks_become_segments(backend: Backend, studio: Studio) -> None:
    tasks = [task(1, studio, box(10), box(50, "Building")), task(2, studio), task(3, studio, box(70))]
    results = backend.predictor.predict(unprompted(*tasks)).body["results"]
    assert [len(result and result["result"]) for result in results] == [2, 0, 1]
    assert results[1] == []  # Label Studio stores nothing for this task
    first, second = results[0]["result"]
    assert (first["type"], first["from_name"]) == ("polygonlabels", "polygon")
    assert [first["value"]["polygonlabels"], second["value"]["polygonlabels"]] == [["Animal"], ["Building"]]
    mask = result_to_mask(first)
    assert mask[int(0.4 * 343), int(0.2 * 502)]
    assert mask.mean() == pytest.approx(0.04, abs=0.005)


def test_one_bad_image_does_not_spoil_the_others(
    backend: Backend, studio: Studio, caplog: pytest.LogCaptureFixture
) -> None:
    tasks = [task(1, studio, box(10)), task(2, studio, box(10))]
    del studio.files["/data/upload/1/1.png"]
    results = backend.predictor.predict(unprompted(*tasks)).body["results"]
    assert [len(result and result["result"]) for result in results] == [0, 1]
    assert "task 1: the image at http" in caplog.text


def test_predictions_count_where_nobody_annotated(backend: Backend, studio: Studio) -> None:
    one = task(1, studio) | {"predictions": [{"id": 1, "result": [box(10)]}]}
    results = backend.predictor.predict(unprompted(one, task(2, studio))).body["results"]
    assert [len(result and result["result"]) for result in results] == [1, 0]


def test_used_prompts_beside_their_answers_are_no_prompts(backend: Backend, studio: Studio) -> None:
    """The page saves clicks along with the answers, and forgets which of them were negative."""
    annotated = task(1, studio) | {"annotations": [recorded("annotation_created")["annotation"]]}
    assert backend.predictor.predict(unprompted(annotated, task(2, studio))).body == {"results": [[], []]}


def test_nothing_to_go_by_is_no_predictions(backend: Backend, studio: Studio) -> None:
    assert backend.predictor.predict(unprompted(task(1, studio), task(2, studio))).body == {"results": [[], []]}


def test_opening_a_task_waits_for_nothing(backend: Backend, studio: Studio) -> None:
    """The page waits for this answer; the image is encoded behind its back, and known the next time."""
    opened = unprompted(task(1, studio, box(10)))
    assert backend.predictor.predict(opened).body == {"results": [[]]}
    wait_until(lambda: backend.predictor.predict(opened).body["results"] != [[]])


def test_labels_beside_plain_boxes_go_to_the_segments(backend: Backend, studio: Studio) -> None:
    config = (
        '<View><Image name="image" value="$image"/><Labels name="label" toName="image"><Label value="Animal"/></Labels>'
        '<Rectangle name="box" toName="image" smart="true"/><Brush name="brush" toName="image"/></View>'
    )
    plain = box(10) | {"type": "rectangle", "value": {"x": 10, "y": 30, "width": 20, "height": 20, "rotation": 0}}
    label = plain | {"type": "labels", "from_name": "label", "value": plain["value"] | {"labels": ["Animal"]}}
    body = unprompted(task(1, studio, plain, label), task(2, studio)) | {"label_config": config}
    (first, _) = backend.predictor.predict(body).body["results"]
    assert [item["type"] for item in first["result"]] == ["brush", "labels"]
    assert first["result"][1]["value"]["labels"] == ["Animal"]


def test_points_that_only_leave_out_are_no_prompts(backend: Backend, studio: Studio) -> None:
    point = recorded("click")["params"]["context"]["result"][0] | {"is_positive": False}
    tasks = [task(1, studio, point), task(2, studio, point | {"is_positive": True})]
    results = backend.predictor.predict(unprompted(*tasks)).body["results"]
    assert [bool(result) for result in results] == [False, True]


def test_many_tasks_are_answered_as_far_as_they_are_done(
    make_backend: MakeBackend, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All or nothing was a 503 for 50 tasks, and Label Studio said "Retrieved 50 predictions"."""
    backend = make_backend()
    backend.predictor.setup(setup_body(studio))
    backend.engines.wait()
    tasks = [task(number, studio, box(10)) for number in range(1, 9)]
    gate, real = threading.Semaphore(3), backend.segmenter.segment

    def segment(*arguments: Any) -> Any:
        assert gate.acquire(timeout=PATIENCE)
        return real(*arguments)

    monkeypatch.setattr(backend.segmenter, "segment", segment)
    pending = backend.predictor.begin(unprompted(*tasks))
    assert isinstance(pending, PendingReply)
    wait_until(lambda: sum(future.done() for future in pending.futures) == 3)
    first = pending.reply()  # the time is over
    found = [bool(result) for result in first.body["results"]]
    assert (len(found), sum(found), first.log_fields["waiting"]) == (8, 3, 5)
    gate.release(100)
    wait_until(lambda: backend.prelabeler.waiting() == 0)  # what nobody waits for was never begun
    rest = backend.predictor.begin(unprompted(*(one for one, done in zip(tasks, found, strict=True) if not done)))
    assert isinstance(rest, PendingReply)
    wait(rest.futures, PATIENCE)
    assert all(rest.reply().body["results"])


def test_a_request_for_many_tasks_is_answered_when_its_time_is_over(
    make_backend: MakeBackend, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend, gate = make_backend(predict_seconds=1), threading.Event()
    backend.predictor.setup(setup_body(studio))
    monkeypatch.setattr(backend.segmenter, "segment", lambda *_: gate.wait(PATIENCE))
    reply = backend.predictor.predict(unprompted(*(task(number, studio, box(10)) for number in (1, 2))))
    gate.set()
    assert reply.body == {"results": [[], []]}
    assert reply.log_fields["waiting"] == 2


def test_a_batch_steps_back_for_clicks(make_backend: MakeBackend, studio: Studio) -> None:
    backend = make_backend()
    backend.predictor.setup(setup_body(studio))
    pending = backend.predictor.begin(unprompted(*(task(number, studio, box(10)) for number in (1, 2))))
    assert isinstance(pending, PendingReply)
    wait(pending.futures, PATIENCE)
    with backend.predictor._priority.click():
        again = backend.predictor.begin(unprompted(*(task(number, studio, box(50)) for number in (1, 2))))
        assert isinstance(again, PendingReply)
        time.sleep(0.5)
        assert not any(future.done() for future in again.futures)
    wait(again.futures, PATIENCE)


def test_prelabelling_can_be_switched_off(backend: Backend, studio: Studio) -> None:
    backend.predictor.setup(setup_body(studio, extra_params={"prelabel": "off"}))
    tasks = [task(1, studio, box(10)), task(2, studio, box(10))]
    assert backend.predictor.predict(unprompted(*tasks)).body == {"results": [[], []]}


def test_everything_can_be_segmented(backend: Backend, studio: Studio) -> None:
    backend.predictor.setup(setup_body(studio, extra_params={"prelabel": "everything", "label": "Thing"}))
    # one task alone is a page that somebody opened, and is not searched
    results = backend.predictor.predict(unprompted(task(1, studio), task(2, studio))).body["results"]
    assert len(results[0]["result"]) > 3
    assert {tuple(region["value"]["polygonlabels"]) for region in results[0]["result"]} == {("Thing",)}


def test_the_opened_task_and_the_next_are_encoded_ahead(make_backend: MakeBackend, studio: Studio) -> None:
    backend = make_backend(encode_ahead=2)
    backend.predictor.setup(setup_body(studio))
    studio.tasks = [task(number, studio) for number in range(1, 6)]
    backend.predictor.predict(unprompted(studio.tasks[1]))
    wait_until(lambda: len(studio.asked("/data/upload/")) == 3)
    time.sleep(0.5)
    fetched = [path for path, _ in studio.seen if path.startswith("/data/upload/")]
    assert fetched == [f"/data/upload/1/{number}.png" for number in (2, 3, 4)]
    click = recorded("click") | {"tasks": [studio.tasks[2]]}
    assert backend.predictor.predict(click).log_fields["cache"] == "hit"


def test_the_next_tasks_are_not_encoded_while_somebody_waits(make_backend: MakeBackend, studio: Studio) -> None:
    backend = make_backend(encode_ahead=2)
    backend.predictor.setup(setup_body(studio))
    studio.tasks = [task(number, studio) for number in range(1, 4)]
    prefetcher, priority = backend.predictor._prefetcher, backend.predictor._priority
    with priority.click():
        backend.predictor.predict(unprompted(studio.tasks[0]))
        wait_until(lambda: prefetcher.waiting() == 2)
        time.sleep(0.8)
        assert (prefetcher.waiting(), len(studio.asked("/data/upload/"))) == (2, 1)
    wait_until(lambda: len(studio.asked("/data/upload/")) == 3)


def test_a_task_that_cannot_be_encoded_ahead_stops_nothing(make_backend: MakeBackend, studio: Studio) -> None:
    backend = make_backend(encode_ahead=0)
    backend.predictor.setup(setup_body(studio))
    broken = task(1, studio)
    del studio.files["/data/upload/1/1.png"]
    backend.predictor.predict(unprompted(broken))
    backend.predictor.predict(unprompted(task(2, studio)))
    wait_until(lambda: "/data/upload/1/2.png" in [path for path, _ in studio.seen])


def command_backend(make_backend: MakeBackend, studio: Studio) -> Backend:
    """A backend that knows Label Studio from its settings, as commands do."""
    studio.label_config = recorded("task_opened")["label_config"]
    return make_backend(label_studio_url=studio.url, label_studio_api_key=LEGACY)


def test_warm_encodes_a_project(make_backend: MakeBackend, studio: Studio, capsys: pytest.CaptureFixture[str]) -> None:
    backend = command_backend(make_backend, studio)
    studio.tasks = [task(number, studio) for number in range(1, 5)]
    del studio.files["/data/upload/1/3.png"]
    project, config = open_project(backend, 1, "")
    warm(backend, project, config)
    prepared = [backend.segmenter.is_prepared(each, config, project) for each in studio.tasks]
    assert prepared == [True, True, False, True]
    assert "1 tasks could not be encoded" in capsys.readouterr().err


def test_prelabel_posts_predictions(
    make_backend: MakeBackend, studio: Studio, capsys: pytest.CaptureFixture[str]
) -> None:
    backend = command_backend(make_backend, studio)
    done = task(3, studio, box(10)) | {"predictions": [{"model_version": "clickmask-nano", "result": []}]}
    studio.tasks = [task(1, studio, box(10)), task(2, studio), done]
    prelabel(backend, *open_project(backend, 1, ""))
    told = capsys.readouterr().err
    assert "1 tasks got 1 regions, 1 tasks got none, 1 had some of clickmask-nano already" in told
    assert "annotators see predictions of any model, the newest first: choose clickmask-nano" in told
    (prediction,) = studio.predictions
    assert (prediction["task"], prediction["model_version"]) == (1, "clickmask-nano")
    assert prediction["result"][0]["value"]["polygonlabels"] == ["Animal"]
    assert prediction["score"] == pytest.approx(0.8)


def test_prelabel_waits_for_a_label_studio_that_is_busy(
    make_backend: MakeBackend, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clickmask.plugin.files.label_studio_api._FIRST_PAUSE", 0.01)
    backend = command_backend(make_backend, studio)
    project, config = open_project(backend, 1, "")
    studio.tasks = [task(number, studio, box(10)) for number in (1, 2)]
    studio.refusals = [502, 503, 500]  # of the list of tasks
    monkeypatch.setattr(
        type(backend.segmenter), "segment", refuse_after(type(backend.segmenter).segment, studio, [429, 503])
    )
    assert prelabel(backend, project, config) == 0
    assert [prediction["task"] for prediction in studio.predictions] == [1, 2]
    assert studio.refusals == []


def refuse_after(segment: Callable[..., Any], studio: Studio, statuses: list[int]) -> Callable[..., Any]:
    """Segment, and let the next request to the API be refused."""

    def refusing(*arguments: Any) -> Any:
        found = segment(*arguments)
        studio.refusals += statuses[:1]
        del statuses[:1]
        return found

    return refusing


def test_what_label_studio_may_have_stored_is_not_stored_twice(
    make_backend: MakeBackend, studio: Studio, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    backend = command_backend(make_backend, studio)
    project, config = open_project(backend, 1, "")
    studio.tasks = [task(1, studio, box(10))]
    segment = type(backend.segmenter).segment
    monkeypatch.setattr(type(backend.segmenter), "segment", refuse_after(segment, studio, [504]))
    assert prelabel(backend, project, config) == 1
    assert studio.asked("/api/predictions/") == [f"Token {LEGACY}"]
    assert "1 failed: run the same again" in capsys.readouterr().err
    assert prelabel(backend, project, config) == 0
    assert [prediction["task"] for prediction in studio.predictions] == [1]


def test_a_task_that_fails_is_told_and_stays_for_the_next_run(
    make_backend: MakeBackend, studio: Studio, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    backend = command_backend(make_backend, studio)
    project, config = open_project(backend, 1, "")
    studio.tasks = [task(number, studio, box(10)) for number in (1, 2, 3)]
    lost = studio.files.pop("/data/upload/1/2.png")
    assert prelabel(backend, project, config) == 1
    assert "2 tasks got 2 regions, 0 tasks got none, 0 had some of clickmask-nano already, 1 failed" in (
        capsys.readouterr().err
    )
    studio.files["/data/upload/1/2.png"] = lost
    for done in (0, 2):
        studio.tasks[done]["predictions"] = [{"model_version": "clickmask-nano", "result": []}]
    assert prelabel(backend, project, config) == 0
    assert [prediction["task"] for prediction in studio.predictions] == [1, 3, 2]
    monkeypatch.setattr("clickmask.plugin.commands.FAILURES_IN_A_ROW", 2)
    studio.tasks = [task(number, studio, box(10)) for number in (4, 5, 6)]
    for number in (4, 5):
        del studio.files[f"/data/upload/1/{number}.png"]
    with pytest.raises(ClickMaskError, match="2 tasks failed one after the other, the last: "):
        prelabel(backend, project, config)


def test_a_personal_access_token_opens_the_api(make_backend: MakeBackend, studio: Studio) -> None:
    studio.label_config = recorded("task_opened")["label_config"]
    backend = make_backend(label_studio_url=studio.url, label_studio_api_key=studio.personal)
    project, _ = open_project(backend, 1, '{"prelabel": "everything"}')
    assert project.options == read_options({"prelabel": "everything"})
    assert studio.asked("/api/projects/") == [f"Bearer {studio.access[0]}"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["warm"], "warm wants --project"),
        (["warm", "--project", "1"], "the address of Label Studio is unknown"),
        (["prelabel", "--project", "1", "--params", "{"], "extra params are no JSON"),
    ],
)
def test_a_command_that_cannot_run_says_why(
    arguments: list[str], message: str, studio: Studio, tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ["--data-dir", str(tmp_path)]
    studio.label_config = "<View/>"
    if "--params" in arguments:
        flags += ["--label-studio-url", studio.url, "--label-studio-api-key", LEGACY]
    assert main([*arguments, *flags]) == 2
    assert message in capsys.readouterr().err


def test_accepted_prints_examples(backend: Backend, tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    (prediction,) = backend.predictor.predict(recorded("click")).body["results"]
    body = recorded("annotation_created")
    body["annotation"]["result"] = prediction["result"]
    backend.predictor.fit("ANNOTATION_CREATED", body)
    assert main(["accepted", "--data-dir", str(tmp_path / "data")]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["prompt"]["points"][0]["positive"] is True
