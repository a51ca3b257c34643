"""The others of an object are found on its picture, and on the pictures after it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from clickmask.decoder import DatasetError, Engine
from clickmask.decoder.shapes import mask_iou, mask_to_rle, rle_to_mask
from clickmask.web.browser_rle import mask_to_runs, runs_to_mask
from clickmask.web.photos.records import LabeledObject
from clickmask.web.photos.service import Service
from clickmask.web.photos.similar import NO_EXAMPLE
from tests.decoder.similar.discs import SIZE, SIZE_HW, discs, draw
from tests.web.photos import open_library
from tests.web.test_propagation import finished


@pytest.fixture
def service(tmp_path: Path, engine: Future[Engine]) -> Iterator[Service]:
    (tmp_path / "root").mkdir()
    for number in range(4):
        draw(tmp_path / "root" / f"{number}.png", number)
    library = open_library(tmp_path / "root", tmp_path / "home")
    yield Service(engine, library, start_folder=tmp_path / "root", model_name="nano", file_url=str)
    library.close()


@pytest.fixture
def here(service: Service) -> dict[str, Any]:
    """The first picture, one disc accepted."""
    folder = service.library.refreshed(service.start_folder)
    counts = mask_to_rle(discs()[0])["counts"]
    folder.project.write(1, 0, {"disc": LabeledObject("disc", 1, counts)})
    return {"folder": str(service.start_folder), "picture": 1}


def found(service: Service, message: dict[str, Any]) -> list[dict[str, Any]]:
    done = finished(service, service.start_similar(message)["job"])
    assert done["state"] == "done", done
    proposals: list[dict[str, Any]] = done["result"]["found"]
    return proposals


def is_there(proposals: list[dict[str, Any]], disc: NDArray[np.bool_]) -> bool:
    return any(mask_iou(runs_to_mask(one["runs"], SIZE), disc) >= 0.7 for one in proposals)


def test_the_others_are_proposed_worst_first_without_what_was_dropped(service: Service, here: dict[str, Any]) -> None:
    first, *rest = discs()
    proposals = found(service, {**here, "objects": ["disc"]})
    assert sum(is_there(proposals, disc) for disc in rest) >= 3
    assert not is_there(proposals, first)
    scores = [one["score"] for one in proposals]
    assert scores == sorted(scores)
    dropped = next(disc for disc in rest if is_there(proposals, disc))
    refused = [{"picture": 1, "runs": mask_to_runs(dropped)}, {"picture": 99, "runs": "of a picture that is gone"}]
    assert not is_there(found(service, {**here, "objects": ["disc"], "refused": refused}), dropped)


def test_a_pass_puts_them_unchecked_on_the_pictures_that_are_not_done(service: Service, here: dict[str, Any]) -> None:
    service.set_status({**here, "picture": 3, "status": "done"})
    project = service.library.folder(service.start_folder).project
    for _ in range(2):  # a second pass replaces what the first one put there
        message = {**here, "category": 1, "count": 9}
        done = finished(service, service.start_similar_after(message)["job"])
        assert done["state"] == "done", done
        objects = {number: project.objects(number) for number in (1, 2, 3, 4)}
        assert done["result"] == {"made": len(objects[2]) + len(objects[4]), "pictures": 2, "problems": []}
        assert len(objects[1]) == 1
        assert objects[3] == []
        for number in (2, 4):
            masks = [rle_to_mask({"size": [*SIZE_HW], "counts": item.counts}) for item in objects[number]]
            assert sum(any(mask_iou(mask, disc) >= 0.7 for mask in masks) for disc in discs()) >= 4
            assert {item.source for item in objects[number]} == {"similar"}
            assert all(item.score is not None for item in objects[number])
    assert project.unchecked().keys() == {2, 4}


def test_what_nobody_looked_at_is_no_example(service: Service, here: dict[str, Any]) -> None:
    project = service.library.folder(service.start_folder).project
    counts = mask_to_rle(discs()[1])["counts"]
    project.write(1, 1, {"disc": LabeledObject("disc", 1, counts, source="similar")})
    with pytest.raises(DatasetError, match=NO_EXAMPLE):
        service.start_similar_after({**here, "category": 1, "count": 9})
    with pytest.raises(DatasetError, match=NO_EXAMPLE):
        service.start_similar({**here, "objects": ["nobody"]})
    with pytest.raises(DatasetError, match="no picture after this one"):
        service.start_similar_after({**here, "picture": 4, "category": 1, "count": 9})
