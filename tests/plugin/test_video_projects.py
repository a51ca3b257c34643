"""Videos that nobody draws in: an opened task, several tasks, a whole project."""

from __future__ import annotations

from clickmask.plugin.build import Backend
from clickmask.plugin.commands import open_project, prelabel
from clickmask.plugin.labels import label_config
from tests.plugin.clips import CLIP, PICTURES
from tests.plugin.conftest import RECORDED_IMAGE, recorded
from tests.plugin.studio_server import LEGACY, Studio
from tests.plugin.video_tasks import MakeBackend, annotated, answer, asked, drawn, overlaps, task, unprompted


def test_opening_a_task_begins_nothing_and_shows_what_is_known(video_backend: Backend) -> None:
    opened = unprompted(annotated(1, drawn(0)))
    assert video_backend.predictor.predict(opened).body == {"results": [[]]}
    assert b"clickmask_tracks_kept 0.0" in video_backend.metrics.text()
    track = answer(video_backend, asked(drawn(0)))["result"]
    ((prediction,),) = [video_backend.predictor.predict(opened).body["results"]]
    assert prediction["result"] == track


def test_several_tasks_are_tracked(video_backend: Backend) -> None:
    """Boxes of annotations, of drafts, none at all, and those of a track that is there already."""
    draft = task(2, drafts=[{"id": 1, "result": [drawn(1)]}])
    tracked = annotated(4, *answer(video_backend, asked(drawn(0, frame=5)))["result"])
    results = video_backend.predictor.predict(unprompted(annotated(1, drawn(0)), draft, task(3), tracked)).body[
        "results"
    ]
    assert [len(result and result["result"]) for result in results] == [1, 1, 0, 0]
    assert min(overlaps(results[1]["result"][0], 1, range(1, PICTURES + 1))) > 0.75


def test_prelabel_tracks_a_project(make_backend: MakeBackend, video_studio: Studio) -> None:
    video_studio.label_config = label_config("video")
    backend = make_backend(label_studio_url=video_studio.url, label_studio_api_key=LEGACY)
    video_studio.tasks = [annotated(1, drawn(0)), task(2), annotated(3, drawn(0), data={"video": "/data/upload/1/no"})]
    prelabel(backend, *open_project(backend, 1, ""))
    (prediction,) = video_studio.predictions
    assert (prediction["task"], prediction["model_version"]) == (1, "clickmask-nano")
    assert min(overlaps(prediction["result"][0], 0, range(1, PICTURES + 1))) > 0.75


BOTH = """<View><Image name="image" value="$image"/><KeyPointLabels name="point" toName="image" smart="true">
<Label value="Animal"/></KeyPointLabels><BrushLabels name="brush" toName="image"><Label value="Animal"/></BrushLabels>
<Labels name="label" toName="video"><Label value="Animal"/></Labels><Video name="video" value="$video"/>
<VideoRectangle name="box" toName="video"/></View>"""


def test_a_config_with_an_image_and_a_video_answers_both(video_backend: Backend) -> None:
    """Clicks on the image were answered with nothing, because there was a video too."""
    one = task() | {"data": {"video": CLIP, "image": RECORDED_IMAGE}}
    click = recorded("click") | {"label_config": BOTH, "tasks": [one]}
    assert answer(video_backend, click)["result"][0]["type"] == "brushlabels"
    tracked = answer(video_backend, asked(drawn(0), config=BOTH, of=one))
    assert tracked["result"][0]["type"] == "videorectangle"
    assert answer(video_backend, asked(config=BOTH, of=one))["result"] == []
    boxed = one | {"annotations": [{"id": 1, "result": [drawn(0)]}]}
    both = unprompted(boxed, one | {"id": 2}) | {"label_config": BOTH}
    first, second = video_backend.predictor.predict(both).body["results"]
    assert ([item["type"] for item in first["result"]], second) == (["videorectangle"], [])
