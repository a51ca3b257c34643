"""Puts the backend together from its settings."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from clickmask.decoder import ClickEngine, Engine, RemoteEngine, load_model
from clickmask.decoder.learning import AcceptedObject, LearningJob, Versions
from clickmask.plugin.clicks.like_these import LikeThese
from clickmask.plugin.clicks.prefetch import Prefetcher
from clickmask.plugin.clicks.prelabel import Prelabeler
from clickmask.plugin.clicks.segmenter import Segmenter, Task
from clickmask.plugin.engines import Engines, LoadEngine
from clickmask.plugin.files.disk_cache import DiskCache, shrink
from clickmask.plugin.files.images import Images
from clickmask.plugin.files.label_studio_api import LabelStudioClient
from clickmask.plugin.files.locations import Connection
from clickmask.plugin.files.task_files import TaskFiles
from clickmask.plugin.files.tokens import Tokens
from clickmask.plugin.files.transport import MEGABYTE, Transport
from clickmask.plugin.files.video_files import VideoFiles
from clickmask.plugin.learning.examples import accepted_objects
from clickmask.plugin.learning.learned import LearnedEngines
from clickmask.plugin.learning.learner import Learner
from clickmask.plugin.metrics import Metrics
from clickmask.plugin.predictor import Predictor
from clickmask.plugin.priority import ClickPriority
from clickmask.plugin.projects.label_config import read_label_config
from clickmask.plugin.projects.projects import Project
from clickmask.plugin.records.records import Records
from clickmask.plugin.registry import ProjectRegistry
from clickmask.plugin.settings import Settings
from clickmask.plugin.tracking.answers import VideoAnswers
from clickmask.plugin.tracking.queue import TrackingQueue


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
    prefetcher: Prefetcher
    prelabeler: Prelabeler
    tracking: TrackingQueue
    videos: VideoAnswers
    registry: ProjectRegistry
    learned: LearnedEngines
    learner: Learner

    def client(self, connection: Connection, patience_seconds: float = 0.0) -> LabelStudioClient:
        """Label Studio's API through a connection; see ``LabelStudioClient``."""
        return LabelStudioClient(self.transport, self.tokens, connection, patience_seconds)

    def close(self) -> None:
        """Stop the background work and close the records."""
        self.transport.close()
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
    learned = LearnedEngines(engines, None if settings.no_learning or settings.engine else folder / "learned")
    segmenter = Segmenter(learned, images, metrics)
    records = Records(folder / "records.sqlite")

    def next_tasks(project: Project, task: int) -> Sequence[Task]:
        if not settings.encode_ahead or not project.connection.url:
            return ()
        client = LabelStudioClient(transport, tokens, project.connection)
        return client.tasks_after(project.number, task, settings.encode_ahead)

    tidy = partial(shrink, folder / "embeddings", settings.embedding_disk_mb * MEGABYTE)
    priority = ClickPriority()
    prefetcher = Prefetcher(segmenter, next_tasks, tidy, priority)
    prelabeler = Prelabeler(segmenter, LikeThese(records, segmenter), priority, float(settings.predict_seconds))
    tracking = TrackingQueue(priority, settings.max_tracks)
    videos = VideoAnswers(
        engines, _video_files(settings, tokens, transport.stopped), tracking, float(settings.track_seconds)
    )
    registry = ProjectRegistry(settings, records)
    learner = _learner(settings, learned, records, registry, images)
    predictor = Predictor(
        engines,
        segmenter,
        registry,
        records,
        prefetcher,
        prelabeler,
        videos,
        priority,
        float(settings.predict_seconds),
        learned,
        learner,
    )
    _watch_learning(metrics, learner)
    _watch(metrics, engines, prefetcher, prelabeler)
    _watch_tracking(metrics, tracking)
    return Backend(
        settings=settings,
        engines=engines,
        segmenter=segmenter,
        predictor=predictor,
        metrics=metrics,
        records=records,
        transport=transport,
        tokens=tokens,
        prefetcher=prefetcher,
        prelabeler=prelabeler,
        tracking=tracking,
        videos=videos,
        registry=registry,
        learned=learned,
        learner=learner,
    )


def load_engine(settings: Settings, name: str) -> ClickEngine:
    """Load a model and make its engine, or find that of a cluster.

    Raises:
        CheckpointError: If the name is unknown or the weights cannot be used.
        ClusterError: If the cluster is not there, or has another version or model.
    """
    side, store = _image_side(settings, name), _store(settings)
    load = partial(load_model, name, device=settings.device, precision=settings.precision, image_side=side)
    if settings.engine:
        return RemoteEngine(settings.engine, name, load)
    if store is not None:
        shrink(store, settings.embedding_disk_mb * MEGABYTE)
    return Engine(load(), cache_bytes=settings.embedding_cache_mb * MEGABYTE, store_folder=store)


def _learner(
    settings: Settings, learned: LearnedEngines, records: Records, registry: ProjectRegistry, images: Images
) -> Learner:
    """Learning of accepted answers, in processes that see the same weights, embeddings and pictures."""

    def read(project: Project, folder: Path) -> list[AcceptedObject]:
        text = registry.label_config(project.id)
        config = read_label_config(text) if text else None
        return accepted_objects(records.examples(project.id), project, config, images, folder)

    def make_job(project: Project, versions: Versions, objects: tuple[AcceptedObject, ...]) -> LearningJob:
        model = project.options.model or settings.model
        return LearningJob(
            folder=versions.folder,
            project=versions.project,
            objects=objects,
            model=model,
            device=settings.device,
            precision=settings.precision,
            image_side=_image_side(settings, model),
            store=_store(settings),
        )

    return Learner(learned, records.count_examples, registry.find, read, make_job)


def _store(settings: Settings) -> Path | None:
    """Where embeddings are kept on disk."""
    return settings.data_dir.expanduser() / "embeddings" if settings.embedding_disk_mb else None


def _image_side(settings: Settings, model: str) -> int | None:
    """As told for the default model; a project may ask for another."""
    return (settings.image_side or None) if model == settings.model else None


def _video_files(settings: Settings, tokens: Tokens, stopped: threading.Event) -> VideoFiles:
    """Videos are larger than images and come by a transport of their own limits."""
    largest, seconds = settings.max_video_mb * MEGABYTE, float(settings.video_fetch_seconds)
    transport = Transport(frozenset(settings.trusted_hosts), largest, seconds, stopped=stopped)
    files = TaskFiles(transport, tokens, settings.local_files_roots, what="video")
    return VideoFiles(files, settings.data_dir.expanduser() / "videos", settings.video_cache_mb * MEGABYTE)


def _watch(metrics: Metrics, engines: Engines, prefetcher: Prefetcher, prelabeler: Prelabeler) -> None:
    def clicks_waiting() -> float:
        return sum(engine.waiting() for engine in engines.loaded())

    metrics.watch("clicks_waiting", "Clicks that wait for the device", clicks_waiting)
    metrics.watch("images_waiting", "Images that wait to be encoded ahead", prefetcher.waiting)
    metrics.watch("tasks_waiting", "Tasks that wait to be segmented without a click", prelabeler.waiting)


def _watch_learning(metrics: Metrics, learner: Learner) -> None:
    metrics.watch("learning_waiting", "Projects that wait to be learned from, or are", learner.waiting)
    metrics.watch("learning_objects", "Accepted objects learned from since the start", lambda: learner.objects)
    metrics.watch("learning_seconds", "Time spent on learning since the start", lambda: learner.seconds)
    for result in ("used", "not used", "failed"):
        name = f"learning_{result.replace(' ', '_')}"
        metrics.watch(name, f"Tries to learn whose result was: {result}", partial(learner.outcomes.__getitem__, result))


def _watch_tracking(metrics: Metrics, tracking: TrackingQueue) -> None:
    metrics.watch("tracks_waiting", "Videos that wait to be tracked", tracking.waiting)
    metrics.watch("tracks_running", "Videos that are being tracked", tracking.running)
    metrics.watch("tracks_kept", "Tracks of objects that are kept, finished or not", tracking.kept)
    metrics.watch("tracked_pictures", "Pictures tracked since the start, once for every object", tracking.pictures_done)
