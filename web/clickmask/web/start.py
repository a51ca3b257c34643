"""The services of the app: folders, engine and pages, from the options."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import gradio as gr

from clickmask.decoder import ClickMaskError
from clickmask.decoder.learning import AcceptedObject, LearningJob, Versions
from clickmask.web.gate import Gate
from clickmask.web.options import Options
from clickmask.web.photos.dataset import unite
from clickmask.web.photos.imports import adopt_labels
from clickmask.web.photos.library import Library
from clickmask.web.photos.samples import PHOTOS, make_sample_folder, sample_photo
from clickmask.web.photos.service import Service
from clickmask.web.video.service import VideoService

if TYPE_CHECKING:
    from clickmask.decoder import ClickEngine, Model

LARGEST_UPLOAD_MB = 200  # of 1024 * 1024 bytes


@dataclass(frozen=True, slots=True)
class Services:
    """What the two pages ask: that of photos and that of video."""

    photos: Service
    video: VideoService

    def rest(self) -> None:
        """Make the files of all projects whole that nobody has written to for a while."""
        self.photos.library.rest()
        self.video.videos.rest()

    def close(self) -> None:
        """Put everything on disk where a person looks for it, and close it."""
        self.video.videos.close()
        self.photos.library.close()


def open_services(options: Options) -> Services:
    """Open the folders and begin to load the model in the background."""
    samples = None if options.roots else make_sample_folder(options.home)
    roots = options.roots or (options.home,)
    loading = ThreadPoolExecutor(1)
    if options.engine:
        engine = loading.submit(_find_engine, options)
        model = loading.submit(_load_model, options)
    else:
        model = loading.submit(_load_model, options)
        engine = loading.submit(_make_engine, model)
    gate = Gate.of(*roots, uploads=Path(gr.utils.get_upload_folder()))
    library = Library(gate, options.home, adopt_labels, unite)
    service = Service(
        engine,
        library,
        start_folder=samples or roots[0],
        model_name=Path(options.model).name,  # of a weights file, not its folder
        file_url=file_url,
        model=model,
        make_job=None if options.engine else partial(_make_job, options),
    )
    engine.add_done_callback(partial(_welcome, service))
    photo = sample_photo(PHOTOS[0])
    video = VideoService(model, library, service.jobs, file_url=file_url, photo=photo)
    return Services(service, video)


def _load_model(options: Options) -> Model:
    from clickmask.decoder import load_model  # PyTorch takes seconds, in which the page comes up

    return load_model(options.model, device=options.device, precision=options.precision, image_side=options.image_side)


def _make_job(options: Options, versions: Versions, objects: tuple[AcceptedObject, ...]) -> LearningJob:
    """Learn with the model that the options name."""
    return LearningJob(
        folder=versions.folder,
        project=versions.project,
        objects=objects,
        model=options.model,
        device=options.device,
        precision=options.precision,
        image_side=options.image_side,
    )


def _make_engine(model: Future[Model]) -> ClickEngine:
    from clickmask.decoder import Engine

    return Engine(model.result())


def _find_engine(options: Options) -> ClickEngine:
    from clickmask.decoder import RemoteEngine

    return RemoteEngine(options.engine, options.model, lambda: _load_model(options))


def _welcome(service: Service, engine: Future[ClickEngine]) -> None:
    """Make the first click quick, or say what is wrong."""
    error = engine.exception()
    if isinstance(error, ClickMaskError):
        print(f"The model cannot be used: {error}")
    if error is None:
        with suppress(ClickMaskError):  # the page will say what is wrong with the folder
            service.warm_up()


def file_url(path: Path) -> str:
    """Gradio's route for a file, relative to the page."""
    return f"gradio_api/file={quote(str(path))}"
