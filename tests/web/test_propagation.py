"""Objects are carried on through a folder of photos by the tracker."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from clickmask.decoder import DatasetError, Engine, Model
from clickmask.decoder.shapes import mask_to_rle, rle_to_mask
from clickmask.web.photos.records import LabeledObject
from clickmask.web.photos.service import Service
from tests.web.photos import open_library, write_photo
from tests.web.video_clips import disc_mask, iou, write_frames


@pytest.fixture
def service(tmp_path: Path, engine: Future[Engine], model: Future[Model]) -> Iterator[Service]:
    write_frames(tmp_path / "root", frames=6)
    library = open_library(tmp_path / "root", tmp_path / "home")
    made = Service(engine, library, start_folder=tmp_path / "root", model_name="nano", file_url=str, model=model)
    yield made
    library.close()


def finished(service: Service, job: str) -> dict[str, Any]:
    for _ in range(1200):
        message = service.job({"job": job})
        if message["state"] != "running":
            return message
        time.sleep(0.05)
    raise AssertionError("the job did not end")


def label_first(service: Service) -> dict[str, Any]:
    folder = service.library.refreshed(service.start_folder)
    counts = mask_to_rle(disc_mask(0))["counts"]
    folder.project.write(1, 0, {"disc": LabeledObject("disc", 1, counts, extras='{"group": 4}')})
    return {"folder": str(service.start_folder), "picture": folder.pictures()[0].id}


def test_an_object_is_put_where_it_went_on_the_pictures_after_it(service: Service) -> None:
    here = label_first(service)
    done = finished(service, service.start_propagation({**here, "objects": ["disc"], "count": 4})["job"])
    assert done["state"] == "done", done
    assert done["result"] == {"made": 4, "pictures": 4, "problems": []}
    folder = service.library.folder(service.start_folder)
    for frame, picture in enumerate(folder.pictures()):
        items = folder.project.objects(picture.id)
        assert len(items) == (frame < 5)
        for item in items:
            mask = rle_to_mask({"size": [120, 160], "counts": item.counts})
            assert iou(mask, disc_mask(frame)) > 0.6
            assert item.extras == '{"group": 4}'
            assert item.source == ("track" if frame else "click")
        assert picture.status == "todo"


def test_what_cannot_be_followed_is_told_before_anything_is_done(service: Service) -> None:
    here = label_first(service)
    with pytest.raises(DatasetError, match="object nobody is not on this picture"):
        service.start_propagation({**here, "objects": ["nobody"], "count": 2})
    with pytest.raises(DatasetError, match="there is no object to follow"):
        service.start_propagation({**here, "objects": [], "count": 2})
    with pytest.raises(DatasetError, match="no picture after this one"):
        service.start_propagation({**here, "picture": 6, "objects": [], "count": 2})
    write_photo(service.start_folder / "frame001.png", 30, 20)
    service.library.refreshed(service.start_folder)
    with pytest.raises(DatasetError, match="of one size"):
        service.start_propagation({**here, "objects": ["disc"], "count": 2})
