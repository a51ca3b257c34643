"""A folder's accepted objects teach the answers of that folder; a job that tells how far it is, and a way back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import pytest
import torch

from clickmask.decoder import LearningError, Model
from clickmask.decoder.learning import AcceptedObject, LearningJob, Outcome, Versions
from clickmask.decoder.learning.adapter import Adapter, blank_tensors
from clickmask.web.photos import learning as room
from clickmask.web.photos.service import Service
from tests.decoder.learning.objects import outcome
from tests.web.test_service import CHEETAH, opened, square, wait_for


class Process:
    """In place of the process that learns."""

    jobs: ClassVar[list[LearningJob]] = []
    wanted: ClassVar[Outcome | LearningError] = outcome(after=5.0)

    def __init__(self, job: LearningJob) -> None:
        self.jobs.append(job)

    def outcome(self, progress: Callable[[float], None]) -> Outcome:
        progress(0.5)
        if isinstance(self.wanted, LearningError):
            raise self.wanted
        Versions(self.jobs[-1].folder, self.jobs[-1].project).keep(self.wanted, None)
        return self.wanted


def make_job(versions: Versions, objects: tuple[AcceptedObject, ...]) -> LearningJob:
    return LearningJob(versions.folder, versions.project, objects, "nano")


@pytest.fixture
def teachable(service: Service, monkeypatch: pytest.MonkeyPatch) -> Service:
    """A service that learns, by ``Process``."""
    monkeypatch.setattr(Process, "jobs", [])
    monkeypatch.setattr(room, "LearningProcess", Process)
    monkeypatch.setattr(service, "_make_job", make_job)
    return service


def test_it_learns_from_what_people_made_or_checked(teachable: Service) -> None:
    here = opened(teachable)
    objects = [("a", "click", {"points": [[10, 12, True], [1, 1, False]]}), ("b", "auto", {}), ("c", "checked", {})]
    changes = [
        {
            "id": name,
            "object": {"id": name, "category": 1, "runs": square(CHEETAH), "source": source, "prompts": prompts},
        }
        for name, source, prompts in objects
    ]
    teachable.write({**here, "revision": 0, "changes": changes})
    message = wait_for(teachable, teachable.start_learning(here)["job"])
    assert message["state"] == "done"
    assert message["result"]["sentence"].startswith("Nothing gained from 10 objects")
    assert (message["done"], message["total"]) == (50, 100)
    (job,) = Process.jobs
    assert [one.key for one in job.objects] == ["a", "c"]
    assert job.objects[0].points == ((10.0, 12.0),)
    assert job.objects[0].file.name == "cheetah.jpg"
    assert teachable.learning(here) == {"version": "", "sentence": message["result"]["sentence"]}


def test_why_nothing_was_learned_is_told(teachable: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Process, "wanted", LearningError("3 accepted objects teach too little"))
    message = wait_for(teachable, teachable.start_learning(opened(teachable))["job"])
    assert (message["state"], message["error"]) == ("failed", "3 accepted objects teach too little")


def test_a_server_that_does_not_learn_says_so(service: Service) -> None:
    with pytest.raises(LearningError, match="does not learn"):
        service.start_learning(opened(service))


def test_the_folder_is_answered_with_what_it_learned_until_it_is_taken_back(service: Service, nano: Model) -> None:
    here = opened(service)
    click = {**here, "points": [[250, 170, True]]}
    before = service.segment(click)
    versions = room.versions_of(service.library.folder(here["folder"]))
    generator = torch.Generator().manual_seed(0)
    tensors = {
        name: value if name.endswith(".down") else 0.03 * torch.randn(value.shape, generator=generator)
        for name, value in blank_tensors(nano, generator).items()
    }
    versions.keep(outcome(), Adapter(versions.project, nano.fingerprint, tensors))
    assert service.learning(here)["version"] == f"{Path(here['folder']).name}-1"
    after = service.segment(click)
    assert after["iou"] != before["iou"]
    assert after["cached"]
    assert service.roll_back_learning(here)["version"] == ""
    assert service.segment(click)["iou"] == before["iou"]
    with pytest.raises(LearningError, match="nothing that was learned is in use"):
        service.roll_back_learning(here)
