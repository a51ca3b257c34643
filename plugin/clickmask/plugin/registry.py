"""Who is connected: what each project said when it introduced itself."""

from __future__ import annotations

import logging
import threading

from clickmask.plugin.errors import RecordsError
from clickmask.plugin.projects.options import read_options
from clickmask.plugin.projects.projects import Project, connect
from clickmask.plugin.protocol.requests import SetupRequest
from clickmask.plugin.records.records import Records
from clickmask.plugin.settings import Settings

MOST_PROJECTS = 1_000  # kept in memory; older ones are read from the records when they ask again

_log = logging.getLogger(__name__)


class ProjectRegistry:
    """Projects by id. Options and addresses survive a restart, tokens do not."""

    def __init__(self, settings: Settings, records: Records) -> None:
        self._settings = settings
        self._records = records
        self._projects: dict[str, Project] = {}
        self._label_configs: dict[str, str] = {}
        self._lock = threading.Lock()

    def introduce(self, request: SetupRequest) -> Project:
        """Remember a project as it describes itself now.

        Raises:
            RequestError: If its host name or extra params are wrong.
        """
        connection = connect(request.hostname, request.access_token, self._settings)
        project = Project(request.project, connection, read_options(request.extra_params))
        with self._lock:
            known = self._projects.get(project.id)
            self._projects[project.id] = project
            self._label_configs[project.id] = request.label_config
            self._forget_oldest()
        if known is None or known != project:
            self._remember(request)
        return project

    def find(self, project_id: str) -> Project:
        """A project; one that never introduced itself gets the defaults."""
        with self._lock:
            project = self._projects.get(project_id)
        if project is not None:
            return project
        hostname, extra_params = self._records.project(project_id) or ("", None)
        return Project(project_id, connect(hostname, "", self._settings), read_options(extra_params))

    def introduced(self) -> list[tuple[Project, str]]:
        """The projects that introduced themselves since the start, with their label configs."""
        with self._lock:
            return [(project, self._label_configs[name]) for name, project in self._projects.items()]

    def label_config(self, project_id: str) -> str:
        """The label config of a project that introduced itself since the start, or ""."""
        with self._lock:
            return self._label_configs.get(project_id, "")

    def _forget_oldest(self) -> None:
        """Keep memory within bounds, whoever introduces what; the caller holds the lock."""
        while len(self._projects) > MOST_PROJECTS:
            oldest = next(iter(self._projects))
            del self._projects[oldest], self._label_configs[oldest]

    def _remember(self, request: SetupRequest) -> None:
        """For after a restart; the project works without, so a full disk is no reason to refuse it."""
        try:
            self._records.remember_project(request.project, request.hostname, request.extra_params)
        except RecordsError as error:
            _log.warning("%s", error)
