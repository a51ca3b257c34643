"""The backend fetches an uploaded photo with every kind of token that Label Studio knows."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from clickmask.plugin.labels import label_config
from clickmask.plugin.studio.client import StudioClient
from clickmask.plugin.studio.command import open_project
from clickmask.plugin.studio.photos import sample_photos
from clickmask.plugin.studio.process import running
from clickmask.plugin.studio.servers import backend_command
from tests.e2e.conftest import LabelStudio
from tests.ports import free_port

pytestmark = pytest.mark.e2e

CLICK = {
    "original_width": 502,
    "original_height": 343,
    "image_rotation": 0,
    "value": {"x": 50, "y": 45, "width": 0.2, "keypointlabels": ["Animal"]},
    "is_positive": True,
    "id": "click",
    "from_name": "point",
    "to_name": "image",
    "type": "keypointlabels",
    "origin": "manual",
}


@pytest.fixture
def backend_with_personal_token(label_studio: LabelStudio, personal_token: str, tmp_path: Path) -> Iterator[str]:
    """A backend that was given the address of Label Studio and a personal access token."""
    port = free_port()
    given = ["--label-studio-url", label_studio.url, "--label-studio-api-key", personal_token]
    with running(backend_command(tmp_path, port, given, os.environ)):
        yield f"http://127.0.0.1:{port}"


class WithPersonalToken:
    """Label Studio's API by personal access token: the legacy one is refused for a while."""

    def __init__(self, url: str, personal_token: str) -> None:
        answer = httpx.post(f"{url}/api/token/refresh", json={"refresh": personal_token}, trust_env=False)
        headers = {"Authorization": f"Bearer {answer.raise_for_status().json()['access']}"}
        self._http = httpx.Client(base_url=f"{url}/", headers=headers, timeout=60, trust_env=False)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """Send one request."""
        return self._http.post(path.removeprefix("/"), json=body).raise_for_status().json()

    @contextmanager
    def without_legacy_tokens(self) -> Iterator[None]:
        """Switch legacy tokens off for the length of the block."""
        settings = {"api_tokens_enabled": True, "api_token_ttl_days": 30}
        self.post("/api/jwt/settings", settings | {"legacy_api_tokens_enabled": False})
        try:
            yield
        finally:
            self.post("/api/jwt/settings", settings | {"legacy_api_tokens_enabled": True})
            self._http.close()


def test_a_personal_token_fetches_photos_where_legacy_tokens_are_off(
    client: StudioClient,
    label_studio: LabelStudio,
    backend_with_personal_token: str,
    personal_token: str,
    tmp_path: Path,
) -> None:
    config, photos = label_config("polygon"), sample_photos(tmp_path)[:1]
    project = open_project(client, "Personal token", config, photos, backend_with_personal_token)
    task = client.call("GET", "/api/tasks", params={"project": project})["tasks"][0]
    backend = client.call("GET", "/api/ml", params={"project": project})[0]["id"]
    person = WithPersonalToken(label_studio.url, personal_token)
    with person.without_legacy_tokens():
        legacy = {"Authorization": f"Token {label_studio.login.token}"}
        photo = label_studio.url + task["data"]["image"]
        assert httpx.get(photo, headers=legacy, trust_env=False).status_code == 401
        body = {"task": task["id"], "context": {"result": [CLICK]}}
        answer = person.post(f"/api/ml/{backend}/interactive-annotating", body)
    assert answer["data"]["result"][0]["type"] == "polygonlabels"
