"""Accepted answers teach their own project: when, from what, and that no other project notices."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch

from clickmask.decoder import Engine, LearningError, Model
from clickmask.decoder.learning import LearningJob, Outcome, Versions
from clickmask.decoder.learning.adapter import Adapter, blank_tensors
from clickmask.plugin.build import Backend
from clickmask.plugin.learning import learner as room
from clickmask.plugin.status.page import status_page
from clickmask.plugin.status.recent_errors import RecentErrors
from clickmask.plugin.status.status import read_status
from tests.decoder.learning.objects import outcome
from tests.plugin.conftest import recorded, setup_body
from tests.plugin.studio_server import Studio
from tests.plugin.waiting import wait_until

PROJECT, OTHER = "1.1795219949", "2.1795219950"
Body = dict[str, Any]


class Process:
    """In place of the process that learns: keeps what it is given, and answers with what the test wants."""

    jobs: ClassVar[list[LearningJob]]
    result: Outcome | LearningError

    def __init__(self, job: LearningJob) -> None:
        self.jobs.append(job)
        assert all(one.file.is_file() for one in job.objects)

    def outcome(self, progress: Callable[[float], None]) -> Outcome:
        progress(0.5)
        if isinstance(self.result, LearningError):
            raise self.result
        return self.result

    def cancel(self) -> None:
        """Nothing runs."""


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch) -> type[Process]:
    class Own(Process):
        jobs: ClassVar[list[LearningJob]] = []
        result = outcome()

    monkeypatch.setattr(room, "LearningProcess", Own)
    return Own


def accept(backend: Backend, count: int, first: int = 1) -> list[Body]:
    """Click, accept the answer, submit: so many times."""
    answers = []
    for number in range(first, first + count):
        (prediction,) = backend.predictor.predict(recorded("click")).body["results"]
        body = recorded("annotation_created")
        body["annotation"] |= {"id": number, "result": prediction["result"]}
        answers.append(backend.predictor.fit("ANNOTATION_CREATED", body))
    return answers


def idle(backend: Backend) -> None:
    wait_until(lambda: backend.learner.waiting() == 0)


def test_it_learns_by_itself_at_10_and_20_accepted_answers(backend: Backend, process: type[Process]) -> None:
    accept(backend, 9)
    assert process.jobs == []
    accept(backend, 2, first=10)
    idle(backend)
    accept(backend, 8, first=12)
    idle(backend)
    assert [len(job.objects) for job in process.jobs] == [10]
    accept(backend, 1, first=20)
    idle(backend)
    assert [len(job.objects) for job in process.jobs] == [10, 20]
    one = process.jobs[0].objects[0]
    assert one.rle["size"] == [343, 502]
    assert len(one.points) == 1
    assert len({each.key for each in process.jobs[1].objects}) == 20


def test_a_deleted_annotation_teaches_nothing(backend: Backend, process: type[Process]) -> None:
    accept(backend, 10)
    idle(backend)
    deleted = recorded("annotations_deleted")
    deleted["annotations"] = [{"id": number} for number in range(1, 6)]
    backend.predictor.fit("ANNOTATIONS_DELETED", deleted)
    assert backend.records.count_examples(PROJECT) == 5
    told = backend.predictor.fit("START_TRAINING", recorded("start_training"))["message"]
    assert told.startswith("5 accepted answers teach too little, wanted at least 10")


def test_start_training_learns_at_once(backend: Backend, process: type[Process]) -> None:
    accept(backend, 12)
    idle(backend)
    told = backend.predictor.fit("START_TRAINING", recorded("start_training"))["message"]
    assert told.startswith("learning from 12 accepted answers in the background")
    idle(backend)
    assert [len(job.objects) for job in process.jobs] == [10, 12]


def test_with_no_learning_nothing_is_learned_and_nothing_used(
    make_backend: Callable[..., Backend], studio: Studio, process: type[Process], tmp_path: Path
) -> None:
    backend = make_backend(model="nano", predict_seconds=3_600, no_learning=True)
    backend.predictor.setup(setup_body(studio))
    accept(backend, 11)
    told = backend.predictor.fit("START_TRAINING", recorded("start_training"))["message"]
    assert "does not learn (--no-learning, or --engine)" in told
    assert process.jobs == []
    assert not (tmp_path / "data" / "learned").exists()
    project = backend.registry.find(PROJECT)
    assert backend.learned.get(project) is backend.engines.get()


@pytest.mark.parametrize("error", [LearningError("broken off"), LearningError("the disk is full")])
def test_what_goes_wrong_is_told_and_the_next_try_comes_at_the_next_number(
    backend: Backend, process: type[Process], error: LearningError
) -> None:
    process.result = error
    accept(backend, 12)
    idle(backend)
    assert len(process.jobs) == 1
    assert backend.learner.last[PROJECT] == str(error)
    page = status_page(read_status(backend, RecentErrors(), 0))
    assert str(error) in page
    assert b"clickmask_learning_failed 1.0" in backend.metrics.text()


def test_the_status_page_and_the_metrics_tell_what_was_learned(backend: Backend, process: type[Process]) -> None:
    process.result = Outcome(1, 10, 3, 0, 4.1, 2.9, 0.9, 0.9, 12.0)
    accept(backend, 10)
    idle(backend)
    assert "Learned from 10 objects: 2.9 clicks instead of 4.1" in status_page(read_status(backend, RecentErrors(), 0))
    text = backend.metrics.text()
    assert b"clickmask_learning_used 1.0" in text
    assert b"clickmask_learning_objects 10.0" in text


def learned(versions: Versions, nano: Model, seed: int) -> None:
    """Keep a version that changes answers."""
    generator = torch.Generator().manual_seed(seed)
    tensors = {
        name: value if name.endswith(".down") else 0.03 * torch.randn(value.shape, generator=generator)
        for name, value in blank_tensors(nano, generator).items()
    }
    versions.keep(outcome(), Adapter(versions.project, nano.fingerprint, tensors))


def click(backend: Backend, project: str) -> Body:
    (prediction,) = backend.predictor.predict(recorded("click") | {"project": project}).body["results"]
    found: Body = prediction
    return found


def shape(prediction: Body) -> Any:
    return [region["value"] for region in prediction["result"]]


def test_two_projects_on_one_server_never_mix(
    make_backend: Callable[..., Backend], studio: Studio, nano: Model
) -> None:
    """Four threads click in three projects, of which two have learned: everybody gets what their own taught."""
    backend = make_backend(load=lambda _: Engine(nano), model="nano", predict_seconds=3_600)
    names = [PROJECT, OTHER, "3.1795219951"]
    for name in names:
        backend.predictor.setup(setup_body(studio, project=name))
    before = click(backend, PROJECT)
    assert before["model_version"] == "clickmask-nano"
    for seed, name in enumerate(names[:2]):
        versions = backend.learned.versions(name)
        assert versions is not None
        learned(versions, nano, seed)
    alone = {name: click(backend, name) for name in names}
    assert [alone[name]["model_version"] for name in names] == [
        "clickmask-nano+project-1-1",
        "clickmask-nano+project-2-1",
        "clickmask-nano",
    ]
    assert shape(alone[names[2]]) == shape(before)
    assert shape(alone[names[0]]) != shape(before) != shape(alone[names[1]])
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda number: click(backend, names[number % 3]), range(9)))
    for number, prediction in enumerate(found):
        assert prediction["model_version"] == alone[names[number % 3]]["model_version"]
        assert shape(prediction) == shape(alone[names[number % 3]])
    first = backend.learned.versions(PROJECT)
    assert first is not None
    first.roll_back()
    assert shape(click(backend, PROJECT)) == shape(before)
