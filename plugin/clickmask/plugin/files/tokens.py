"""Label Studio's two kinds of tokens, as an Authorization header.

A legacy token goes into every request as it is. A personal access token is a JWT that buys
access tokens of five minutes; those are kept until shortly before they expire.
"""

from __future__ import annotations

import base64
import binascii
import json
import threading
import time
from collections.abc import Callable, Mapping

from clickmask.plugin.errors import FetchError
from clickmask.plugin.files.locations import Connection
from clickmask.plugin.files.network import Deadline
from clickmask.plugin.files.transport import Answer, Transport

_Key = tuple[str, str]  # address and token
_SPARE_SECONDS = 30.0
_UNKNOWN_LIFE_SECONDS = 60.0


class Tokens:
    """Authorization headers for Label Studio servers; any number of threads may ask."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._lock = threading.Lock()
        self._access: dict[_Key, tuple[str, float]] = {}  # access token and its end of life
        self._refreshing: dict[_Key, threading.Lock] = {}  # one server that is slow keeps no other's people waiting

    def header(self, connection: Connection, deadline: Deadline | None = None) -> dict[str, str]:
        """The Authorization header of a connection; empty without a token.

        Raises:
            FetchError: If Label Studio does not accept the personal access token.
        """
        if not connection.token:
            return {}
        if not is_personal(connection.token):
            return {"Authorization": f"Token {connection.token}"}
        key = (connection.url, connection.token)
        with self._lock:
            refreshing = self._refreshing.setdefault(key, threading.Lock())
        with refreshing:
            access, end = self._access.get(key, ("", 0.0))
            if time.time() >= end:
                access = self._refreshed(connection, deadline)
                self._access[key] = (access, _end_of_life(access))
        return {"Authorization": f"Bearer {access}"}

    def authorized(
        self,
        connection: Connection,
        send: Callable[[Mapping[str, str]], Answer],
        deadline: Deadline | None = None,
    ) -> Answer:
        """Send a request with the connection's header; once more if an access token was refused before its time.

        Args:
            send: Sends the request with the headers it is given; it may be called twice.
            deadline: For what is asked of Label Studio before; the transport's own by default.

        Raises:
            FetchError: If Label Studio does not accept the personal access token.
        """
        answer = send(self.header(connection, deadline))
        if answer.status == 401 and self._forget(connection):
            return send(self.header(connection, deadline))
        return answer

    def _forget(self, connection: Connection) -> bool:
        """Drop an access token the server refused; say whether there was one, so that trying again makes sense."""
        return self._access.pop((connection.url, connection.token), None) is not None

    def _refreshed(self, connection: Connection, deadline: Deadline | None) -> str:
        url = f"{connection.url}/api/token/refresh"
        body = {"refresh": connection.token}
        answer = self._transport.request("POST", url, json=body, trusted=True, deadline=deadline)
        access = _field(answer.body, "access")
        if answer.status != 200 or not access:
            raise FetchError(
                f"Label Studio at {connection.url} refused the personal access token (status {answer.status}): "
                f"make a new one under Account & Settings"
            )
        return access


def is_personal(token: str) -> bool:
    """Whether a token is a personal access token (a JWT of three parts) and not a legacy one.

    Example:
        >>> is_personal("0123456789abcdef0123456789abcdef01234567")
        False
    """
    return token.count(".") == 2


def _end_of_life(access: str) -> float:
    """When to stop using an access token [s since 1970]."""
    try:
        payload = access.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return float(claims["exp"]) - _SPARE_SECONDS
    except (IndexError, KeyError, TypeError, ValueError, binascii.Error):
        return time.time() + _UNKNOWN_LIFE_SECONDS


def _field(body: bytes, name: str) -> str:
    try:
        value = json.loads(body).get(name)
    except (ValueError, AttributeError):
        return ""
    return value if isinstance(value, str) else ""
