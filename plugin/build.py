"""Puts the backend together from its settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from decoder import Engine, load_model
from plugin.ahead import Ahead
from plugin.batch import Batch
from plugin.client import LabelStudioClient
from plugin.disk_cache import DiskCache, shrink
from plugin.engines import Engines, LoadEngine
from plugin.images import Images
from plugin.locations import Connection
from plugin.metrics import Metrics
from plugin.predictor import Predictor
from plugin.project_book import ProjectBook
from plugin.projects import Project
from plugin.records import Records
from plugin.segmenter import Segmenter, Task
from plugin.settings import Settings
from plugin.task_files import TaskFiles
from plugin.tokens import Tokens
from plugin.tracking_queue import Lane, TrackingQueue
from plugin.transport import MEGABYTE, Transport
from plugin.video_answers import VideoAnswers
from plugin.video_files import VideoFiles


@dataclass(frozen=True)
class Backend:
    """The parts a server or a command works with."""

    settings: Settings
    engines: Engines
    segmenter: Segmenter
    predictor: Predictor
    metrics: Metrics
    records: Records
    transport: Transport
    tokens: Tokens
    videos: VideoAnswers

    def client(self, connection: Connection) -> LabelStudioClient:
        """Label Studio's API through a connection."""
        return LabelStudioClient(self.transport, self.tokens, connection)

    def close(self) -> None:
        """Stop the background work and close the records."""
        self.predictor.close()


def build_backend(settings: Settings, load: LoadEngine | None = None) -> Backend:
    """Make a backend; it loads no model until one is asked for.

    Args:
        settings: From ``read_settings``.
        load: Makes the engine of a model name; the real one by default.
    """
    folder = settings.data_dir.expanduser()
    metrics = Metrics()
    transport = Transport(
        frozenset(settings.trusted_hosts), settings.max_image_mb * MEGABYTE, float(settings.fetch_seconds)
    )
    tokens = Tokens(transport)
    cache = DiskCache(folder / "images", settings.image_cache_mb * MEGABYTE)
    images = Images(TaskFiles(transport, tokens, settings.local_files_roots), cache)
    engines = Engines(load or partial(load_engine, settings), settings.model, float(settings.ready_seconds))
    segmenter = Segmenter(engines, images, metrics)
    records = Records(folder / "records.sqlite")

    def next_tasks(project: Project, task: int) -> Sequence[Task]:
        if not settings.encode_ahead or not project.connection.url:
            return ()
        client = LabelStudioClient(transport, tokens, project.connection)
        return client.tasks_after(project.number, task, settings.encode_ahead)

    tidy = partial(shrink, folder / "embeddings", settings.embedding_disk_mb * MEGABYTE)
    ahead = Ahead(segmenter, next_tasks, tidy)
    lane = Lane()
    tracking = TrackingQueue(lane, settings.max_tracks)
    videos = VideoAnswers(engines, _video_files(settings, tokens), tracking)
    book, seconds = ProjectBook(settings, records), float(settings.track_seconds)
    predictor = Predictor(engines, segmenter, book, records, ahead, Batch(segmenter), videos, lane, seconds)
    _watch(metrics, engines, ahead)
    _watch_tracking(metrics, tracking)
    return Backend(settings, engines, segmenter, predictor, metrics, records, transport, tokens, videos)


def load_engine(settings: Settings, name: str) -> Engine:
    """Load a model and make its engine.

    Raises:
        CheckpointError: If the name is unknown or the weights cannot be used.
    """
    store: Path | None = None
    if settings.embedding_disk_mb:
        store = settings.data_dir.expanduser() / "embeddings"
        shrink(store, settings.embedding_disk_mb * MEGABYTE)
    model = load_model(name, device=settings.device, precision=settings.precision)
    return Engine(model, cache_bytes=settings.embedding_cache_mb * MEGABYTE, store_folder=store)


def _video_files(settings: Settings, tokens: Tokens) -> VideoFiles:
    """Videos are larger than images and come by a transport of their own limits."""
    largest, seconds = settings.max_video_mb * MEGABYTE, float(settings.video_fetch_seconds)
    transport = Transport(frozenset(settings.trusted_hosts), largest, seconds)
    files = TaskFiles(transport, tokens, settings.local_files_roots, what="video")
    return VideoFiles(files, settings.data_dir.expanduser() / "videos", settings.video_cache_mb * MEGABYTE)


def _watch(metrics: Metrics, engines: Engines, ahead: Ahead) -> None:
    def clicks_waiting() -> float:
        return sum(engine.waiting() for engine in engines.loaded())

    metrics.watch("clicks_waiting", "Clicks that wait for the device", clicks_waiting)
    metrics.watch("images_waiting", "Images that wait to be encoded ahead", ahead.waiting)


def _watch_tracking(metrics: Metrics, tracking: TrackingQueue) -> None:
    metrics.watch("tracks_waiting", "Videos that wait to be tracked", tracking.waiting)
    metrics.watch("tracks_running", "Videos that are being tracked", tracking.running)
    metrics.watch("tracks_kept", "Tracks of objects that are kept, finished or not", tracking.kept)
    metrics.watch("tracked_pictures", "Pictures tracked since the start, once for every object", tracking.pictures_done)
