"""From the command line to a running server."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import gradio as gr

from clickmask.decoder import DEFAULT_MODEL, ClickMaskError
from clickmask.decoder.models import DEVICE_HELP, PRECISION_HELP, PRECISIONS, Precision
from clickmask.web.page_files import ICON, STYLES, page_files
from clickmask.web.photos.imports import adopt_labels
from clickmask.web.photos.library import Library
from clickmask.web.photos.samples import PHOTOS, make_sample_folder, sample_photo
from clickmask.web.photos.service import Service
from clickmask.web.video.service import VideoService

if TYPE_CHECKING:
    from clickmask.decoder import Engine, Model

LARGEST_UPLOAD_MB = 200  # of 1024 * 1024 bytes


@dataclass(frozen=True, slots=True)
class Options:
    """What a person can choose when starting the app."""

    roots: tuple[Path, ...]
    home: Path
    model: str
    device: str
    precision: Precision
    host: str
    port: int | None
    auth: tuple[tuple[str, str], ...]


def read_options(arguments: Sequence[str]) -> Options:
    """Parse the command line; prints help or what is wrong and leaves when asked to."""
    parser = argparse.ArgumentParser("clickmask app", description="Label pictures by clicking: the ClickMask app.")
    add = parser.add_argument
    folders = "folder whose pictures and subfolders may be opened; may be given again (the sample photos)"
    add("--root", type=Path, action="append", metavar="DIR", help=folders)
    home = "where the sample photos and the labels of read-only folders are kept (%(default)s)"
    add("--home", type=Path, default=Path.home() / "ClickMask", metavar="DIR", help=home)
    add("--model", default=DEFAULT_MODEL, help="name or weights file (%(default)s)")
    add("--device", default="auto", help=f"{DEVICE_HELP} (%(default)s)")
    add("--precision", choices=PRECISIONS, default="float32", help=f"{PRECISION_HELP} (%(default)s)")
    add("--host", default="127.0.0.1", help="address to listen on, 0.0.0.0 for all (%(default)s)")
    add("--port", type=int, help="port to listen on (the first free one from 7860)")
    login = "ask for a login; may be given again"
    add("--auth", type=_name_and_password, action="append", default=[], metavar="NAME:PASSWORD", help=login)
    found = parser.parse_args(arguments)
    for root in found.root or []:
        if not root.is_dir():
            parser.error(f"--root {root} is not a folder")
    return Options(
        roots=tuple(root.resolve() for root in found.root or []),
        home=found.home.expanduser().resolve(),
        model=found.model,
        device=found.device,
        precision=found.precision,
        host=found.host,
        port=found.port,
        auth=tuple(found.auth),
    )


def _name_and_password(text: str) -> tuple[str, str]:
    name, separator, password = text.partition(":")
    if not (name and separator and password):
        raise argparse.ArgumentTypeError(f"got {text!r}, wanted NAME:PASSWORD")
    return name, password


@dataclass(frozen=True, slots=True)
class Services:
    """What the two pages ask: that of photos and that of video."""

    photos: Service
    video: VideoService


def open_services(options: Options) -> Services:
    """Open the folders and begin to load the model in the background."""
    samples = None if options.roots else make_sample_folder(options.home)
    roots = options.roots or (options.home,)
    loading = ThreadPoolExecutor(1)
    model = loading.submit(_load_model, options)
    engine = loading.submit(_make_engine, model)
    library = Library(roots, options.home, adopt_labels)
    service = Service(
        engine,
        library,
        start_folder=samples or roots[0],
        model_name=Path(options.model).name,  # of a weights file, not its folder
        file_url=file_url,
        uploads=Path(gr.utils.get_upload_folder()),
    )
    engine.add_done_callback(partial(_welcome, service))
    photo = sample_photo(PHOTOS[0])
    video = VideoService(model, library, service.jobs, file_url=file_url, uploaded=service.uploaded, photo=photo)
    return Services(service, video)


def _load_model(options: Options) -> Model:
    import torch  # takes seconds, in which the page comes up

    from clickmask.decoder import load_model

    if options.model == DEFAULT_MODEL:
        torch.set_num_threads(1)  # nano's steps are short: threads would mostly wait for each other and the browser
    return load_model(options.model, device=options.device, precision=options.precision)


def _make_engine(model: Future[Model]) -> Engine:
    from clickmask.decoder import Engine

    return Engine(model.result())


def _welcome(service: Service, engine: Future[Engine]) -> None:
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


def launch(demo: gr.Blocks, options: Options, roots: Sequence[Path], **more: Any) -> None:
    """Serve until interrupted; nothing outside this machine is contacted."""
    demo.launch(
        server_name=options.host,
        server_port=options.port,
        auth=list(options.auth) or None,
        auth_message="ClickMask" if options.auth else None,
        allowed_paths=[str(path) for path in (*roots, options.home)],
        max_file_size=f"{LARGEST_UPLOAD_MB}mb",
        css_paths=list(STYLES),
        theme=gr.themes.Base(primary_hue="blue", neutral_hue="zinc", font=["system-ui", "sans-serif"]),
        favicon_path=ICON,
        mcp_server=True,
        app_kwargs={"routes": [page_files()]},
        ssr_mode=False,
        share=False,
        show_error=True,
        _frontend=False,  # do not give up when the server's first answer takes more than 3 s
        footer_links=[],
        run_history=False,
        **more,
    )
