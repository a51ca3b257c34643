"""The few calls this backend makes to Label Studio's own API."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from clickmask.plugin.errors import FetchError
from clickmask.plugin.files.locations import Connection
from clickmask.plugin.files.tokens import Tokens
from clickmask.plugin.files.transport import Answer, Transport

_PAGE = 100
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0  # [s]
_REFUSED = frozenset({429, 503})  # nothing was done, so the same can be asked again
_BUSY = _REFUSED | {500, 502, 504}


@dataclass(frozen=True)
class LabelStudioClient:
    """One Label Studio server, through one connection.

    Args:
        transport: How it is reached.
        tokens: What opens it.
        connection: Where it is.
        patience_seconds: How long a server that is away or busy is asked again, with growing pauses [s]; what it may
            have done already is not asked again.
    """

    transport: Transport
    tokens: Tokens
    connection: Connection
    patience_seconds: float = 0.0

    def project(self, number: int) -> Mapping[str, Any]:
        """A project, with its ``label_config`` and ``created_at``.

        Raises:
            FetchError: If Label Studio cannot be reached or refuses.
        """
        answer = self._call("GET", f"/api/projects/{number}/")
        return answer if isinstance(answer, Mapping) else {}

    def release(self) -> str:
        """The version of Label Studio, such as "1.23.2"; "" if it does not say.

        Raises:
            FetchError: If Label Studio cannot be reached or refuses.
        """
        answer = self._call("GET", "/api/version/")
        return str(answer.get("release") or "") if isinstance(answer, Mapping) else ""

    def user(self) -> str:
        """Whose token this is.

        Raises:
            FetchError: If Label Studio cannot be reached or refuses.
        """
        answer = self._call("GET", "/api/current-user/whoami")
        return str(answer.get("email") or answer.get("username") or "") if isinstance(answer, Mapping) else ""

    def connections(self, project: int) -> list[Mapping[str, Any]]:
        """The backends of a project; Label Studio asks each of them how it is meanwhile.

        Raises:
            FetchError: If Label Studio cannot be reached or refuses.
        """
        answer = self._call("GET", f"/api/ml?project={project}")
        return list(answer) if isinstance(answer, list) else []

    def webhooks(self, project: int) -> list[Mapping[str, Any]]:
        """The webhooks of a project.

        Raises:
            FetchError: If Label Studio cannot be reached or refuses.
        """
        answer = self._call("GET", f"/api/webhooks/?project={project}")
        return list(answer) if isinstance(answer, list) else []

    def tasks_after(self, project: int, task: int, count: int) -> list[Mapping[str, Any]]:
        """The tasks of a project that come after one, by number.

        Raises:
            FetchError: If Label Studio cannot be reached or refuses.
        """
        later = {"filter": "filter:tasks:id", "operator": "greater", "type": "Number", "value": task}
        return self._tasks(project, {"conjunction": "and", "items": [later]}, count)

    def all_tasks(self, project: int) -> Iterator[Mapping[str, Any]]:
        """Every task of a project, by number, page by page.

        Raises:
            FetchError: If Label Studio cannot be reached or refuses.
        """
        last = 0
        while tasks := self.tasks_after(project, last, _PAGE):
            yield from tasks
            last = int(tasks[-1]["id"])

    def add_prediction(self, task: int, result: Sequence[Mapping[str, Any]], score: float, model_version: str) -> None:
        """Store a prediction.

        Raises:
            FetchError: If Label Studio cannot be reached or refuses.
        """
        body = {"task": task, "result": list(result), "score": score, "model_version": model_version}
        self._call("POST", "/api/predictions/", body)

    def change_annotation(self, annotation: int, result: Sequence[Mapping[str, Any]]) -> None:
        """Put another result into an annotation.

        Raises:
            FetchError: If Label Studio cannot be reached or refuses.
        """
        self._call("PATCH", f"/api/annotations/{annotation}/", {"result": list(result)})

    def _tasks(self, project: int, filters: Mapping[str, Any], count: int) -> list[Mapping[str, Any]]:
        query = json.dumps({"filters": filters, "ordering": ["tasks:id"]})
        parameters = urlencode({"project": project, "page": 1, "page_size": count, "fields": "all", "query": query})
        answer = self._call("GET", f"/api/tasks/?{parameters}")
        return list(answer.get("tasks") or []) if isinstance(answer, Mapping) else []

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        if not self.connection.url:
            raise FetchError("the address of Label Studio is unknown: set LABEL_STUDIO_URL and LABEL_STUDIO_API_KEY")
        answer = self._patiently(method, path, body)
        if answer.status >= 300:
            shown = answer.body[:200].decode("utf-8", "replace")
            raise FetchError(
                f"Label Studio at {self.connection.url} answered {answer.status} to {method} {path[:80]}: {shown}"
            )
        try:
            return json.loads(answer.body)
        except ValueError as error:
            raise FetchError(f"Label Studio at {self.connection.url} answered {path[:80]} with no JSON") from error

    def _patiently(self, method: str, path: str, body: Mapping[str, Any] | None) -> Answer:
        end, pause = time.monotonic() + self.patience_seconds, _FIRST_PAUSE
        while True:
            wait = pause
            try:
                answer = self._once(method, path, body)
            except FetchError:
                if method != "GET" or time.monotonic() + wait > end:
                    raise
            else:
                wait = max(pause, _asked_pause(answer))
                again = _BUSY if method == "GET" else _REFUSED
                if answer.status not in again or time.monotonic() + wait > end:
                    return answer
            time.sleep(wait)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _once(self, method: str, path: str, body: Mapping[str, Any] | None) -> Answer:
        url = self.connection.url + path
        return self.tokens.authorized(
            self.connection,
            lambda headers: self.transport.request(method, url, headers=headers, json=body, trusted=True),
        )


def _asked_pause(answer: Answer) -> float:
    """How long the server wants to be left alone [s]."""
    text = answer.headers.get("retry-after", "")
    return min(float(text), 60.0) if text.isdecimal() else 0.0
