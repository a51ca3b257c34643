"""The few calls to Label Studio's API that set a project up."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx

from clickmask.plugin.errors import StudioError

CONNECT_SECONDS = 60.0


class StudioClient:
    """Talks to one Label Studio as one person.

    Args:
        url: Address of the server, such as ``http://127.0.0.1:8080``.
        token: The person's legacy access token.
    """

    def __init__(self, url: str, token: str) -> None:
        headers = {"Authorization": f"Token {token}"}
        self._http = httpx.Client(base_url=url, headers=headers, timeout=CONNECT_SECONDS, trust_env=False)

    def find_project(self, title: str) -> int | None:
        """Return the id of the project of this title, or None."""
        projects = self.call("GET", "/api/projects", params={"page_size": 1000})["results"]
        return next((project["id"] for project in projects if project["title"] == title), None)

    def create_project(self, title: str, label_config: str) -> int:
        """Create a project and return its id."""
        project = self.call("POST", "/api/projects", json={"title": title, "label_config": label_config})
        return int(project["id"])

    def upload(self, project: int, paths: Sequence[Path]) -> None:
        """Make a task of every photo or video."""
        with ExitStack() as opened:
            files = [(path.name, (path.name, opened.enter_context(path.open("rb")))) for path in paths]
            self.call("POST", f"/api/projects/{project}/import", files=files)

    def connect_backend(self, project: int, backend_url: str) -> None:
        """Connect an ML backend with interactive preannotations, unless it is already."""
        connected = self.call("GET", "/api/ml", params={"project": project})
        if any(backend["url"] == backend_url for backend in connected):
            return
        backend = {"project": project, "url": backend_url, "title": "ClickMask", "is_interactive": True}
        self.call("POST", "/api/ml", json=backend)

    def call(self, method: str, path: str, **arguments: Any) -> Any:
        """Send one request and return the JSON it answers, or None for an empty answer.

        Raises:
            StudioError: If Label Studio cannot be reached or refuses; the message holds its reason.
        """
        try:
            response = self._http.request(method, path, **arguments)
        except httpx.TransportError as error:
            raise StudioError(f"Label Studio at {self._http.base_url} cannot be reached: {error}") from error
        if response.is_error:
            raise StudioError(f"Label Studio refused {method} {path} ({response.status_code}): {response.text[:500]}")
        return response.json() if response.content else None

    def close(self) -> None:
        """Close the connections."""
        self._http.close()
