"""Labeling on a cluster: the same answers as in one process, and nothing is lost with a worker."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from clickmask.__main__ import main
from clickmask.decoder import ClusterError, Engine, Model
from clickmask.decoder.auto.settings import people_settings
from clickmask.decoder.cluster.label import ModelChoice, run_job_on_ray
from clickmask.decoder.cluster.ray import connect
from clickmask.decoder.formats.folders import LocalFolder
from clickmask.decoder.label.journal import Journal
from clickmask.decoder.label.run import FindEverything, run_job
from tests.decoder.label.test_label import coco, photo

pytestmark = [pytest.mark.ray, pytest.mark.filterwarnings("ignore")]  # Ray warns of itself

PICTURES = 16


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for index in range(PICTURES):
        Image.fromarray(photo(index)).save(folder / f"{index:02d}.png")
    (folder / "99.png").write_bytes(b"no picture")
    return folder


def everything(folder: Path) -> FindEverything:
    local = LocalFolder(folder)
    settings = replace(people_settings("nano"), points_per_side=4)
    return FindEverything(local, tuple(local.names()), settings, "object")


def choice(model: Model, **changes: Any) -> ModelChoice:
    return replace(ModelChoice("nano", "cpu", "float32", None, model.fingerprint), **changes)


def workers() -> list[int]:
    """Processes that keep a model."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if path.read_bytes().startswith(b"ray::MapWorker"):
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


def test_a_worker_killed_in_the_middle_loses_nothing(cluster: Any, pictures: Path, tmp_path: Path, nano: Model) -> None:
    job, killed = everything(pictures), list[int]()
    counts = list[int]()

    def kill_after_two(count: int) -> None:
        counts.append(count)
        if len(counts) == 2:
            killed.extend(workers()[:1])
            os.kill(killed[0], signal.SIGKILL)

    with Journal(tmp_path / "ray.journal", {}) as journal:
        run_job_on_ray(job, "local", choice(nano), journal, kill_after_two, workers=2)
        on_ray = list(journal.entries(job.names))
    assert len(killed) == 1
    assert len(counts) == PICTURES + 1
    with Journal(tmp_path / "one.journal", {}) as journal:
        run_job(job, Engine(nano), journal, lambda count: None)
        assert on_ray == list(journal.entries(job.names))
    assert [entry.key for entry in on_ray if entry.error] == ["99.png"]


def test_the_command_answers_as_in_one_process(cluster: Any, pictures: Path, tmp_path: Path) -> None:
    (pictures / "99.png").unlink()
    (tmp_path / "boxes.json").write_text(json.dumps(coco(pictures)))
    command = ["label", str(pictures), "--from", str(tmp_path / "boxes.json"), "--out"]
    assert main([*command, str(tmp_path / "one.json")]) == 0
    assert main([*command, str(tmp_path / "ray.json"), "--ray", "local", "--workers", "2"]) == 0
    assert json.loads((tmp_path / "ray.json").read_text()) == json.loads((tmp_path / "one.json").read_text())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "weights-only-here.safetensors"}, "weights-only-here.safetensors"),
        ({"fingerprint": "another"}, "nano has other weights on a machine than where the run was started"),
    ],
)
def test_a_worker_without_the_models_weights_ends_the_run(
    cluster: Any, pictures: Path, tmp_path: Path, nano: Model, changes: dict[str, str], message: str
) -> None:
    with Journal(tmp_path / "j", {}) as journal:
        with pytest.raises(ClusterError, match=f"a worker cannot label: .*{message}"):
            run_job_on_ray(
                everything(pictures), "local", choice(nano, **changes), journal, lambda count: None, workers=1
            )
        assert not journal.done()


def test_a_cluster_of_another_version_is_told(cluster: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def another_version(*_: object, **__: object) -> None:
        raise RuntimeError("Version mismatch: The cluster was started with:\n    Ray: 2.1.0\n    Python: 3.11.7")

    monkeypatch.setattr(cluster, "is_initialized", lambda: False)
    monkeypatch.setattr(cluster, "init", another_version)
    with pytest.raises(ClusterError, match="cannot be joined: Version mismatch: The cluster was started with: Ray: 2"):
        connect("auto")
