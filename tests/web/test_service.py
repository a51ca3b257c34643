from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clickmask.decoder import ClickMaskError, DatasetError, ImageError, PromptError, ShapeError, Size, load_image
from clickmask.decoder.shapes import mask_to_rle
from clickmask.web.browser_rle import mask_to_runs, runs_to_mask
from clickmask.web.error_answers import answering
from clickmask.web.errors import ConflictError
from clickmask.web.photos.records import LabeledObject, WaitingBox
from clickmask.web.photos.service import Service
from tests.web.photos import write_photo


def opened(service: Service, name: str = "cheetah.jpg") -> dict[str, Any]:
    folder = service.open_folder({"folder": str(service.start_folder)})
    (picture,) = [picture for picture in folder["pictures"] if picture["name"] == name]
    return {"folder": folder["folder"], "picture": picture["id"]}


def wait_for(service: Service, job: str) -> dict[str, Any]:
    for _ in range(600):
        message = service.job({"job": job})
        if message["state"] != "running":
            return message
        time.sleep(0.1)
    raise AssertionError(f"job {job} did not end")


def square(size: Size, side: int = 10) -> str:
    mask = np.zeros((size.height, size.width), np.bool_)
    mask[5 : 5 + side, 5 : 5 + side] = True
    return mask_to_runs(mask)


CHEETAH = Size(343, 502)


def test_a_click_is_answered_with_a_mask_around_it_and_four_scores(service: Service) -> None:
    here = opened(service)
    answer = service.segment({**here, "points": [[250, 170, True]]})
    assert runs_to_mask(answer["runs"], CHEETAH)[170, 250]
    assert len(answer["iou"]) == len(answer["stability"]) == 4
    assert answer["chosen"] in range(4)


def test_every_candidate_can_be_asked_for(service: Service) -> None:
    here = opened(service)
    rows = [service.segment({**here, "points": [[250, 170, True]], "rule": row}) for row in range(4)]
    assert [row["chosen"] for row in rows] == [0, 1, 2, 3]
    assert len({row["runs"] for row in rows}) > 1


def test_a_box_a_negative_click_and_a_drawn_mask_change_the_answer(service: Service) -> None:
    here = opened(service)
    box = service.segment({**here, "box": [140, 80, 380, 260]})
    less = service.segment({**here, "box": [140, 80, 380, 260], "points": [[350, 140, False]]})
    drawn = service.segment({**here, "points": [[250, 170, True]], "base": square(CHEETAH, 200)})
    plain = service.segment({**here, "points": [[250, 170, True]]})
    assert len({box["runs"], less["runs"], drawn["runs"], plain["runs"]}) == 4


def test_a_click_goes_on_from_the_mask_that_was_seen(service: Service) -> None:
    """From the candidate picked with Tab, if one was; the same after a restart, when nothing is kept."""
    here = {**opened(service), "points": [[250, 170, True], [180, 190, True]]}
    first = {**here, "points": here["points"][:1]}
    from_each = []
    for row in (2, 3):
        service.segment({**first, "rule": row})
        from_each.append(service.segment({**here, "rule_before": row})["runs"])
    assert from_each[0] != from_each[1]


def test_a_second_look_finds_edges_inside_the_first_mask(service: Service) -> None:
    box = {**opened(service), "box": [140, 80, 380, 260]}
    far, close = service.segment({**box, "zoom": False}), service.segment(box)
    masks = [runs_to_mask(answer["runs"], CHEETAH) for answer in (far, close)]
    assert (masks[0] != masks[1]).any()
    assert (masks[0] & masks[1]).sum() > 0.9 * masks[1].sum()


@pytest.mark.parametrize(
    ("prompt", "error", "message"),
    [
        ({}, PromptError, "the prompt is empty"),
        ({"points": [[9999, 5, True]]}, PromptError, "outside the 502x343 image"),
        ({"points": [[1, 2]]}, PromptError, "malformed"),
        ({"points": [["a", 2, True]]}, PromptError, "malformed"),
        ({"box": [5, 5, 5, 9]}, PromptError, "empty or inverted"),
        ({"points": [[5, 5, True]], "rule": "best"}, PromptError, "rule 'best' is unknown"),
        ({"points": [[5, 5, True]], "rule": 7}, PromptError, "row 7 does not exist"),
        ({"base": "AAAA"}, ShapeError, "3 bytes"),
    ],
)
def test_prompts_that_mean_nothing_are_refused(
    service: Service, prompt: dict[str, Any], error: type[ClickMaskError], message: str
) -> None:
    with pytest.raises(error, match=message):
        service.segment({**opened(service), **prompt})


def test_an_accepted_object_is_there_when_the_picture_is_opened_again(service: Service) -> None:
    here = opened(service)
    thing = {"id": "x", "category": 1, "runs": square(CHEETAH), "prompts": {"points": [[7, 7, True]]}, "score": 0.5}
    assert service.write({**here, "revision": 0, "changes": [{"id": "x", "object": thing}]}) == {"revision": 1}
    again = service.open_picture(here)
    assert again["revision"] == 1
    assert again["objects"] == [{**thing, "source": "click", "crowd": False, "extras": {}, "number": None}]
    assert service.open_folder(here)["last"] == here["picture"]
    assert service.history(here)["writes"][0][0]["after"] == again["objects"][0]


def test_two_tabs_do_not_overwrite_each_other(service: Service) -> None:
    here = opened(service)
    change = {"id": "x", "object": {"id": "x", "category": 1, "runs": square(CHEETAH)}}
    service.write({**here, "revision": 0, "changes": [change]})
    with pytest.raises(ConflictError):
        service.write({**here, "revision": 0, "changes": [{"id": "x", "object": None}]})
    assert [item["id"] for item in service.labels(here)["objects"]] == ["x"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"category": 1}, "wanted id, category and runs"),
        ({"category": 9, "runs": square(CHEETAH)}, "class 9 does not exist"),
        ({"category": 1, "runs": square(Size(999, 999), 900)}, "leaves the 502x343 picture"),
    ],
)
def test_malformed_objects_are_refused(service: Service, change: dict[str, Any], message: str) -> None:
    here = opened(service)
    with pytest.raises(ClickMaskError, match=message):
        service.write({**here, "revision": 0, "changes": [{"id": "x", "object": {"id": "x", **change}}]})


def test_an_outline_and_its_filling_are_the_same_mask(service: Service) -> None:
    here = opened(service)
    outline = service.outline({**here, "runs": square(CHEETAH), "min_iou": 1.0})
    assert (outline["points"], outline["iou"]) == (4, 1.0)
    assert service.fill({**here, "rings": outline["rings"]}) == {"runs": square(CHEETAH)}


def test_a_folder_outside_the_roots_cannot_be_opened(service: Service, tmp_path: Path) -> None:
    for path in ("/etc", str(tmp_path), str(service.start_folder / ".." / "..")):
        with pytest.raises(DatasetError, match="outside the folders this server may open"):
            service.open_folder({"folder": path})
    with pytest.raises(DatasetError, match="is not a folder"):
        service.open_folder({"folder": str(service.start_folder / "nowhere")})


def test_a_picture_that_vanished_says_so_and_keeps_its_labels(service: Service) -> None:
    here = opened(service)
    change = {"id": "x", "object": {"id": "x", "category": 1, "runs": square(CHEETAH)}}
    service.write({**here, "revision": 0, "changes": [change]})
    (service.start_folder / "cheetah.jpg").unlink()
    with pytest.raises(ImageError, match=r"cheetah\.jpg is gone"):
        service.open_picture(here)
    assert service.labels(here)["objects"]
    pictures = {picture["name"]: picture["missing"] for picture in service.open_folder(here)["pictures"]}
    assert pictures == {"cheetah.jpg": True, "cheetah1.jpg": False, "lion.jpg": False, "tower.jpg": False}


def test_a_replaced_picture_is_encoded_again(service: Service) -> None:
    here = opened(service, "lion.jpg")
    assert service.encode(here) == {"was_cached": False}
    assert service.encode(here) == {"was_cached": True}
    file = service.start_folder / "lion.jpg"
    write_photo(file, 256, 256)
    assert service.encode(here) == {"was_cached": False}


def test_broken_files_are_listed_but_do_not_stop_the_others(service: Service) -> None:
    (service.start_folder / "broken.jpg").write_bytes(b"no picture")
    folder = service.open_folder({"folder": str(service.start_folder)})
    (said,) = folder["unreadable"]
    assert said.startswith("broken.jpg is not a picture that can be read")
    assert len(folder["pictures"]) == 4


def test_labels_that_lie_in_a_folder_and_cannot_be_brought_in_are_told(service: Service) -> None:
    """They once were left out without a word, and one that could not be opened kept the folder closed."""
    (service.start_folder / "broken.json").write_text('{"images": [{"id": 1')
    (service.start_folder / "odd.json").mkdir()
    for _ in range(2):
        folder = service.open_folder({"folder": str(service.start_folder)})
        assert len(folder["pictures"]) == 4
        broken, odd = folder["problems"]
        assert "broken.json: broken at character" in broken
        assert odd == "odd.json cannot be read: Is a directory"


def test_thumbnails_of_what_can_be_read(service: Service) -> None:
    here = opened(service)
    (service.start_folder / "tower.jpg").unlink()
    ids = [picture["id"] for picture in service.open_folder(here)["pictures"]]
    urls = service.thumbnails({**here, "pictures": [*ids, 999]})["urls"]
    assert len(urls) == 3


def test_uploads_get_a_free_name_and_other_files_are_refused(service: Service, tmp_path: Path) -> None:
    here = opened(service)
    upload = write_photo(tmp_path / "uploads/abc/lion.jpg")
    text = tmp_path / "uploads/notes.txt"
    text.write_text("hello")
    files = [{"path": str(upload), "name": "lion.jpg"}, {"path": str(text), "name": "notes.txt"}]
    answer = service.add_pictures({**here, "files": files})
    assert (service.start_folder / "lion-2.jpg").exists()
    assert np.array_equal(load_image(service.start_folder / "lion-2.jpg"), load_image(upload))
    assert len(answer["added"]) == 1
    assert "notes.txt is not added: wanted .avif" in answer["refused"][0]


def test_only_uploaded_files_are_taken(service: Service) -> None:
    here = opened(service)
    files = [
        {"path": "/etc/hostname", "name": "a.jpg"},
        {"path": str(service.start_folder / "lion.jpg"), "name": "b.jpg"},
    ]
    answer = service.add_pictures({**here, "files": files})
    assert answer["added"] == []
    assert all("is not an uploaded file" in reason for reason in answer["refused"])
    with pytest.raises(DatasetError, match="is not an uploaded file"):
        service.import_labels({**here, "path": "/etc/passwd"})


def test_an_export_job_reports_progress_and_names_its_file(service: Service) -> None:
    here = opened(service)
    change = {"id": "x", "object": {"id": "x", "category": 1, "runs": square(CHEETAH)}}
    service.write({**here, "revision": 0, "changes": [change]})
    done = wait_for(service, service.start_export({**here, "format": "coco", "states": ["todo"]})["job"])
    assert (done["done"], done["total"]) == (4, 4)
    assert done["result"]["objects"] == 1
    assert Path(done["result"]["path"]).is_file()


def test_segment_everything_can_be_stopped(service: Service) -> None:
    here = opened(service)
    service.encode(here)
    job = service.start_everything(here)["job"]
    service.stop_job({"job": job})
    assert wait_for(service, job)["state"] == "cancelled"


def test_segment_everything_finds_masks_of_the_picture(service: Service) -> None:
    message = wait_for(service, service.start_everything(opened(service))["job"])
    assert message["state"] == "done"
    for found in message["result"]["found"]:
        assert runs_to_mask(found["runs"], CHEETAH).any()


def test_a_job_of_an_earlier_server_is_not_known(service: Service) -> None:
    with pytest.raises(ClickMaskError, match="there is no job 77: the server was restarted"):
        service.job({"job": "77"})


def test_what_cannot_be_sent_back_is_refused_and_old_ones_do_no_harm(service: Service) -> None:
    """Half a character in a prompt once kept a picture from ever being opened again."""
    here = opened(service)
    thing = {"id": "x", "category": 1, "runs": square(CHEETAH)}
    for odd in ({"prompts": {"text": "\udcff"}}, {"extras": {"a": float("nan")}}, {"id": "\ud800"}):
        with pytest.raises(DatasetError, match="malformed"):
            service.write({**here, "revision": 0, "changes": [{"id": "x", "object": {**thing, **odd}}]})
    project = service.library.folder(here["folder"]).project
    counts = mask_to_rle(runs_to_mask(square(CHEETAH), CHEETAH))["counts"]
    project.write(here["picture"], 0, {"x": LabeledObject("x", 1, counts, '{"text": "\\udcff"}')})
    assert service.labels(here)["objects"][0]["prompts"] == {}


@pytest.mark.parametrize("color", ["red;background:url(http://example.org)", "#12345", "url(x)", "#12345g"])
def test_a_colour_is_a_colour(service: Service, color: str) -> None:
    here = opened(service)
    with pytest.raises(DatasetError, match="is not #rrggbb"):
        service.save_categories({**here, "categories": [{"id": 1, "name": "cat", "color": color}]})


def test_attributes_and_crowds_come_back_as_they_were_written(service: Service) -> None:
    here = opened(service)
    extras = {"attributes": {"occluded": True}, "group": 3}
    thing = {"id": "x", "category": 1, "runs": square(CHEETAH), "crowd": True, "extras": extras, "number": 77}
    service.write({**here, "revision": 0, "changes": [{"id": "x", "object": thing}]})
    (kept,) = service.labels(here)["objects"]
    assert {key: kept[key] for key in thing} == thing


def test_boxes_without_masks_get_them(service: Service) -> None:
    here = opened(service)
    project = service.library.folder(here["folder"]).project
    box = WaitingBox("b", here["picture"], 1, (140.0, 80.0, 380.0, 260.0), 0.75, True, '{"k": 1}', 9)
    project.add_boxes([box, WaitingBox("off", here["picture"], 1, (9000.0, 1.0, 9010.0, 5.0))])
    folder = service.open_folder(here)
    assert (folder["boxes"], service.labels(here)["boxes"][0]["box"]) == (2, [140, 80, 380, 260])
    done = wait_for(service, service.start_boxes(here)["job"])
    assert (done["result"]["made"], done["result"]["failed"]) == (1, 1)
    (made,) = service.labels(here)["objects"]
    facts = [made[key] for key in ("id", "score", "source", "crowd", "extras", "number")]
    assert facts == ["b", 0.75, "box", True, {"k": 1}, 9]
    assert runs_to_mask(made["runs"], CHEETAH)[170, 250]
    assert service.open_folder(here)["boxes"] == 1


def test_a_list_can_be_searched_by_state_class_and_score(service: Service) -> None:
    here = opened(service)
    changes = [
        {"id": key, "object": {"id": key, "category": 1, "runs": square(CHEETAH), "score": score}}
        for key, score in (("x", 0.4), ("y", 0.9), ("z", None))
    ]
    service.write({**here, "revision": 0, "changes": changes})
    service.set_status({**here, "status": "redo", "note": "look again"})
    (row,) = [row for row in service.open_folder(here)["pictures"] if row["id"] == here["picture"]]
    wanted = {"status": "redo", "note": "look again", "categories": {"1": 3}, "lowest_score": 0.4, "object_count": 3}
    assert {key: row[key] for key in wanted} == wanted


def test_whatever_goes_wrong_becomes_an_answer(service: Service, tmp_path: Path) -> None:
    ask = answering(service.open_picture)
    shutil.rmtree(service.start_folder / ".clickmask", ignore_errors=True)
    assert ask({"folder": "/etc", "picture": 1})["kind"] == "DatasetError"
    assert ask({})["kind"] == "Unexpected"
    assert "see the server's log" in ask({})["error"]
