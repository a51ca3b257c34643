"""Where a task's image is: from the text in the task's data to addresses that can be fetched."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from clickmask.plugin.errors import RefusedError, RequestError
from clickmask.plugin.protocol.task_values import task_value

_CLOUD_SCHEMES = ("s3", "gs", "azure-blob")
_TOKEN_PATHS = ("/data/", "/storage-data/", "/tasks/")
_LOCAL_FILES = "/data/local-files"


@dataclass(frozen=True, slots=True)
class Connection:
    """A Label Studio server as this process reaches it.

    Args:
        url: Its address, with the path it lives under, without a slash at the end; "" if unknown.
        token: Legacy token or personal access token; "" if unknown.
        alias: The address it gives itself where that differs from ``url`` (behind Docker, say).
    """

    url: str = ""
    token: str = ""
    alias: str = ""

    def owns(self, url: str) -> bool:
        """Whether a URL leads to this very server: same scheme, host and port."""
        return bool(self.url) and _origin(url) == _origin(self.url)

    def may_see_token(self, url: str) -> bool:
        """Whether a request for a task's file may carry the token: only this server's own file paths."""
        base, path = urlsplit(self.url).path, urlsplit(url).path
        inside = path.startswith(tuple(base + start for start in _TOKEN_PATHS)) and ".." not in unquote(path).split("/")
        return bool(self.token) and self.owns(url) and inside


@dataclass(frozen=True, slots=True)
class Location:
    """One image of one task.

    Args:
        key: Names the image's content for every cache; the same for all tasks and users.
        urls: Addresses to try in this order.
        local_path: The path Label Studio's local storage gives it, or "".
        inline: The whole file as a ``data:`` address, or "".
    """

    key: str
    urls: tuple[str, ...]
    local_path: str = ""
    inline: str = ""


def locate(
    task: Mapping[str, Any], source: str, item_index: int | None, connection: Connection, what: str = "image"
) -> Location:
    """Find the image or video a prompt was drawn on.

    Args:
        task: As Label Studio sends it.
        source: Where its data hold the image, as the label config says: "$image".
        item_index: Which image of a list, None for the first or only one.
        connection: The Label Studio server the task comes from.
        what: What it is called in messages.

    Raises:
        RequestError: If the task holds no such image.
        RefusedError: If the text is no address that may be read, such as ``file://``.

    Example:
        >>> studio = Connection("http://studio:8080", token="secret")
        >>> locate({"data": {"image": "/data/upload/1/cat.png"}}, "$image", None, studio).urls[0]
        'http://studio:8080/data/upload/1/cat.png'
    """
    data = task.get("data")
    value = task_value(source, data) if isinstance(data, Mapping) else None
    if isinstance(value, list):
        index = item_index or 0
        value = value[index] if 0 <= index < len(value) else None
    if not isinstance(value, str) or not value.strip():
        got = str(value)[:200]
        raise RequestError(f"task {task.get('id')} has no {what}: got {got!r} for {source!r}, wanted a URL or path")
    try:
        return _located(value.strip(), task.get("id"), connection, what)
    except ValueError as error:  # urlsplit's word for brackets and ports that make no sense
        raise RequestError(f"task {task.get('id')} has no {what}: {value[:200]!r} is no address: {error}") from error


def is_http_address(text: str) -> bool:
    """Tell whether a text is an address like http://label-studio:8080 that can be contacted.

    Example:
        >>> [is_http_address(text) for text in ("http://studio:8080", "studio:8080", "http://[::1", "http://a:99999")]
        [True, False, False, False]
    """
    try:
        parts = urlsplit(text)
        _ = parts.port  # raises where it is no port
    except ValueError:
        return False
    plain = text.isprintable() and " " not in text
    return plain and parts.scheme in ("http", "https") and bool(parts.hostname)


def _located(value: str, task_id: object, connection: Connection, what: str) -> Location:
    scheme = urlsplit(value).scheme.lower()
    if scheme in _CLOUD_SCHEMES:
        name = base64.urlsafe_b64encode(value.encode()).decode()
        url = _join(connection, f"/tasks/{quote(str(task_id))}/presign/?fileuri={name}", value)
        return Location(_key(connection, value), (url,))
    if scheme in ("http", "https"):
        value = urlsplit(value).geturl()  # with its scheme in small letters
        if not urlsplit(value).hostname:
            raise RequestError(f"task {task_id} has no {what}: {value[:200]!r} names no host")
        for address in (connection.alias, connection.url):
            if address and _origin(value) == _origin(address):
                parts = urlsplit(value)
                path = f"{parts.path}?{parts.query}" if parts.query else parts.path
                return _on_label_studio(path, value, connection)
        return Location(hashlib.sha256(value.encode()).hexdigest(), (value,))
    if scheme == "data":
        return Location(hashlib.sha256(value.encode()).hexdigest(), (), inline=value)
    if scheme or value.startswith(("//", "\\")):
        raise RefusedError(
            f"{what} {value[:200]!r} is refused: wanted http, https, s3, gs, azure-blob, data or a Label Studio path"
        )
    return _on_label_studio(value, value, connection)


def _on_label_studio(path: str, value: str, connection: Connection) -> Location:
    path = _below(connection, "/" + path.lstrip("/"))
    if path.startswith("/upload/"):
        path = "/data" + path
    urls = [_join(connection, path, value)]
    if path.startswith("/data/upload/"):  # where uploads live in a bucket, only this address has them
        file = quote(path.removeprefix("/data/"))
        urls.append(_join(connection, f"/storage-data/uploaded/?filepath={file}", value))
    return Location(_key(connection, path), tuple(urls), _local_path(path))


def _below(connection: Connection, path: str) -> str:
    """A path without the one that Label Studio lives under, which task data name too: /ls/data/upload/1/a.png."""
    for address in (connection.url, connection.alias):
        base = urlsplit(address).path
        if base and path.startswith(f"{base}/"):
            return path.removeprefix(base)
    return path


def _local_path(path: str) -> str:
    parts = urlsplit(path)
    return parse_qs(parts.query).get("d", [""])[-1] if parts.path.rstrip("/") == _LOCAL_FILES else ""


def _join(connection: Connection, path: str, value: str) -> str:
    if not connection.url:
        raise RequestError(
            f"{value[:200]!r} is on Label Studio, whose address is unknown: "
            f"reload the project page so that Label Studio calls /setup, or set LABEL_STUDIO_URL"
        )
    return connection.url + path


def _key(connection: Connection, value: str) -> str:
    return hashlib.sha256(f"{connection.url}\n{value}".encode()).hexdigest()


def _origin(url: str) -> tuple[str, str, int | None]:
    try:
        parts = urlsplit(url)
        scheme = parts.scheme.lower()
        return scheme, (parts.hostname or "").lower(), parts.port or {"http": 80, "https": 443}.get(scheme)
    except ValueError:  # a redirect's brackets or port that make no sense are nobody's
        return "", url, None
