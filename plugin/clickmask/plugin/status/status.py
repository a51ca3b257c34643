"""How a backend is: models, queues, caches, projects, errors, background work."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from clickmask.plugin.build import Backend
from clickmask.plugin.doctor.configs import config_findings
from clickmask.plugin.doctor.findings import Finding, from_error
from clickmask.plugin.errors import RequestError
from clickmask.plugin.projects.label_config import read_label_config
from clickmask.plugin.projects.options import ProjectOptions
from clickmask.plugin.projects.projects import Project
from clickmask.plugin.status.recent_errors import RecentError, RecentErrors
from clickmask.plugin.work import Work

_MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Store:
    """A folder with a budget [MB]."""

    name: str
    used_mb: int
    budget_mb: int


@dataclass(frozen=True, slots=True)
class ProjectStatus:
    """A connected project, and what is odd in its label config."""

    project: Project
    findings: Sequence[Finding]
    learned: str = ""  # what is in use of what it learned, and what came of the last try

    @property
    def changed_options(self) -> dict[str, object]:
        """The options that are not the defaults."""
        defaults = asdict(ProjectOptions())
        return {name: value for name, value in asdict(self.project.options).items() if value != defaults[name]}


@dataclass(frozen=True, slots=True)
class Status:
    """Everything that the status page shows.

    Args:
        models: Name -> "ready", "loading", or why it could not be loaded.
        waiting: What waits -> how many.
        stores: What is kept on disk.
        free_mb: Room on the disk [MB].
        projects: Those that introduced themselves since the start.
        errors: The last ones, newest first.
        work: What goes on in the background.
    """

    models: Mapping[str, str]
    waiting: Mapping[str, int]
    stores: Sequence[Store]
    free_mb: int
    projects: Sequence[ProjectStatus]
    errors: Sequence[RecentError]
    work: Sequence[Work]


def read_status(backend: Backend, errors: RecentErrors, requests_waiting: int) -> Status:
    """Look at a backend as it is now."""
    settings, folder = backend.settings, backend.settings.data_dir.expanduser()
    stores = (
        Store("images", _size_mb(folder / "images"), settings.image_cache_mb),
        Store("encoded images", _size_mb(folder / "embeddings"), settings.embedding_disk_mb),
        Store("videos", _size_mb(folder / "videos"), settings.video_cache_mb),
    )
    waiting = {
        "requests": requests_waiting,
        "clicks": sum(engine.waiting() for engine in backend.engines.loaded()),
        "images to encode ahead": backend.prefetcher.waiting(),
        "videos to track": backend.tracking.waiting(),
    }
    return Status(
        models=backend.engines.states(),
        waiting=waiting,
        stores=stores,
        free_mb=shutil.disk_usage(folder).free // _MEGABYTE,
        projects=[
            ProjectStatus(project, _odd(text), _learned(backend, project))
            for project, text in backend.registry.introduced()
        ],
        errors=errors.newest(),
        work=background_work(backend),
    )


def background_work(backend: Backend) -> list[Work]:
    """Find the requests for many tasks, the videos and the learning that are being worked on."""
    return [*backend.prelabeler.work(), *backend.tracking.work(), *backend.learner.work()]


def _learned(backend: Backend, project: Project) -> str:
    """Which version answers, and what the last try gave."""
    versions = backend.learned.versions(project.id)
    if versions is None:
        return "does not learn (--no-learning, or --engine)"
    state = versions.state()
    told = backend.learner.last.get(project.id) or ("" if state.last is None else state.last.sentence)
    used = f"answers as {versions.name(state.current)}" if state.current else ""
    return "; ".join(part for part in (used, told) if part)


def _odd(label_config: str) -> list[Finding]:
    try:
        return config_findings(read_label_config(label_config))
    except RequestError as error:
        return [from_error(error)]


def _size_mb(folder: Path) -> int:
    """The size of a folder's files [MB]; some may vanish meanwhile."""
    total = 0
    for path in folder.iterdir() if folder.is_dir() else ():
        try:
            total += path.stat().st_size
        except OSError:
            continue
    return total // _MEGABYTE
