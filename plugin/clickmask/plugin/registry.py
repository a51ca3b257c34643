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

_log = logging.getLogger(__name__)


class ProjectRegistry:
    """Projects by id. Options and addresses survive a restart, tokens do not."""

    def __init__(self, settings: Settings, records: Records) -> None:
        self._settings = settings
        self._records = records
        self._projects: dict[str, Project] = {}
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

    def _remember(self, request: SetupRequest) -> None:
        """For after a restart; the project works without, so a full disk is no reason to refuse it."""
        try:
            self._records.remember_project(request.project, request.hostname, request.extra_params)
        except RecordsError as error:
            _log.warning("%s", error)
