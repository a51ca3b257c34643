"""What each project learned, as the engine that answers it; projects share pictures and embeddings, never answers."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections import OrderedDict
from pathlib import Path

from clickmask.decoder import ClickEngine, ClickMaskError, Engine
from clickmask.decoder.learning import STATE, Versions
from clickmask.plugin.engines import Engines
from clickmask.plugin.projects.projects import Project

MOST_ENGINES = 16  # with an adapter, in memory; each has a mask decoder and kept answers of its own

_log = logging.getLogger(__name__)
_Key = tuple[int, str, int]  # of the engine, the project's id and when its folder changed


class LearnedEngines:
    """The engines of projects; any number of threads may ask.

    Args:
        engines: By model.
        folder: Where each project has a folder of what it learned; None: nothing is learned, and nothing looked for.
    """

    def __init__(self, engines: Engines, folder: Path | None) -> None:
        self._engines = engines
        self._folder = folder
        self._kept: OrderedDict[_Key, ClickEngine] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, project: Project) -> ClickEngine:
        """The engine that answers a project; waits a while if its model still loads.

        Raises:
            NotReadyError: If it is not ready in time, or could not be loaded.
        """
        return self._learned(self._engines.get(project.options.model), project)

    def ready(self, project: Project) -> ClickEngine | None:
        """The engine that answers a project if its model is loaded; never waits."""
        engine = self._engines.ready(project.options.model)
        return None if engine is None else self._learned(engine, project)

    def versions(self, project: str) -> Versions | None:
        """What the project of this id learned; None where nothing is learned here."""
        if self._folder is None:
            return None
        number, digest = project.partition(".")[0], hashlib.sha256(project.encode()).hexdigest()[:12]
        name = f"project-{number}" if number.isdigit() else "project"
        return Versions(self._folder / f"{name}-{digest}", name)

    def _learned(self, engine: ClickEngine, project: Project) -> ClickEngine:
        versions = self.versions(project.id)
        if versions is None or not isinstance(engine, Engine):
            return engine
        try:
            changed = (versions.folder / STATE).stat().st_mtime_ns
        except OSError:
            return engine  # it learned nothing yet
        key = (id(engine), project.id, changed)
        with self._lock:
            if key not in self._kept:
                self._forget(project.id)
                self._kept[key] = _with_learned(engine, versions)
            self._kept.move_to_end(key)
            return self._kept[key]

    def _forget(self, project: str) -> None:
        """Drop what the project had learned before, and what was not used for long; the lock is held."""
        for key in [key for key in self._kept if key[1] == project]:
            del self._kept[key]
        while len(self._kept) >= MOST_ENGINES:
            self._kept.popitem(last=False)


def _with_learned(engine: Engine, versions: Versions) -> Engine:
    try:
        return versions.engine(engine)
    except ClickMaskError as error:
        _log.warning("%s: answers are made without it", error)
        return engine


def adapter_of(engine: ClickEngine) -> str | None:
    """The name of what an engine's model learned; None for the model as it came, here or on other machines."""
    return engine.model.adapter if isinstance(engine, Engine) else None
