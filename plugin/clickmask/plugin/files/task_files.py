"""The file behind a task's image or video: on this disk, or on another server."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote_to_bytes, urljoin, urlsplit

from clickmask.plugin.errors import FetchError, RefusedError, TooLargeError
from clickmask.plugin.files.locations import Connection, Location
from clickmask.plugin.files.network import Deadline
from clickmask.plugin.files.tokens import Tokens
from clickmask.plugin.files.transport import MEGABYTE, Answer, Transport, shown

_MAX_REDIRECTS = 5
_REDIRECTS = (301, 302, 303, 307, 308)


@dataclass(frozen=True)
class TaskFiles:
    """Finds files and fetches them.

    Args:
        transport: How other servers are reached; its limits hold for files on this disk too.
        tokens: Makes Authorization headers, which only Label Studio itself gets to see.
        roots: Folders whose files may be read in place of ``/data/local-files/``.
        what: What a file is called in messages.
    """

    transport: Transport
    tokens: Tokens
    roots: Sequence[Path] = ()
    what: str = "image"

    def local(self, location: Location) -> Path | None:
        """The file in one of the allowed folders, links resolved; None where no folder has it.

        Raises:
            RefusedError: If the path leads out of the folder, or can be no path.
            TooLargeError: If the file is too large.
        """
        path = location.local_path
        for root in self.roots if path else ():
            file = _file_inside(root, path)
            if file is not None:
                if file.stat().st_size > self.transport.max_bytes:
                    raise TooLargeError(f"{path} is larger than {self.transport.max_bytes / MEGABYTE:g} MB")
                return file
        return None

    def fetch(self, location: Location, connection: Connection, into: BinaryIO | None = None) -> Answer:
        """Get the file from another server; the answer's body, or what was written into ``into``, is its content.

        Raises:
            RefusedError: If the address may not be read.
            FetchError: If it cannot be fetched.
            TooLargeError: If the file is too large.
        """
        if location.inline:
            return self._inline(location.inline, into)
        deadline = self.transport.deadline()
        for url in location.urls:
            end, answer = self._followed(url, connection, into, deadline)
            if answer.status == 200:
                return answer
        if answer.status in (401, 403) and connection.owns(end):
            raise FetchError(
                f"Label Studio at {connection.url} refused its own {self.what} (status {answer.status}): "
                f"reload its page, so that it hands over a token, or set LABEL_STUDIO_API_KEY to one that may see it"
            )
        raise FetchError(
            f"the {self.what} at {shown(location.urls[0])} cannot be fetched: "
            f"got status {answer.status} from {urlsplit(end).hostname}, wanted 200"
        )

    def _inline(self, address: str, into: BinaryIO | None) -> Answer:
        """The file that a ``data:`` address holds."""
        head, _, text = address.partition(",")
        try:
            content = base64.b64decode(unquote_to_bytes(text)) if head.endswith(";base64") else unquote_to_bytes(text)
        except binascii.Error as error:
            raise FetchError(f"the {self.what} in the task's data cannot be read: {error}") from error
        if len(content) > self.transport.max_bytes:
            raise TooLargeError(f"the {self.what} is larger than {self.transport.max_bytes / MEGABYTE:g} MB")
        if into is None:
            return Answer(200, {}, content)
        into.write(content)
        return Answer(200, {}, b"")

    def _followed(
        self, url: str, connection: Connection, into: BinaryIO | None, deadline: Deadline
    ) -> tuple[str, Answer]:
        """Get a URL through its redirects; every hop is judged anew and only Label Studio sees the token.

        Returns:
            Where it ended, and what came from there.
        """
        for _ in range(_MAX_REDIRECTS + 1):
            answer = self._hop(url, connection, into, deadline)
            if answer.status not in _REDIRECTS or "location" not in answer.headers:
                return url, answer
            try:
                url = urljoin(url, answer.headers["location"])
            except ValueError as error:
                raise FetchError(f"the {self.what} cannot be fetched: a redirect to no address: {error}") from error
        raise FetchError(f"the {self.what} cannot be fetched: more than {_MAX_REDIRECTS} redirects")

    def _hop(self, url: str, connection: Connection, into: BinaryIO | None, deadline: Deadline) -> Answer:
        if not connection.may_see_token(url):
            return self.transport.request("GET", url, trusted=connection.owns(url), into=into, deadline=deadline)
        return self.tokens.authorized(
            connection,
            lambda headers: self.transport.request(
                "GET", url, headers=headers, trusted=True, into=into, deadline=deadline
            ),
            deadline,
        )


def _file_inside(root: Path, path: str) -> Path | None:
    """The file of this path in a folder, links resolved; None if there is none.

    Raises:
        RefusedError: If the path leads out of the folder, or can be no path.
    """
    try:
        file = (root / path.lstrip("/")).resolve()
        is_there = file.is_file()
    except (OSError, ValueError) as error:  # a name that is too long, or holds a zero
        raise RefusedError(f"path {path[:200]!r} is refused: {error}") from error
    if not file.is_relative_to(root.resolve()):
        raise RefusedError(f"path {path!r} is refused: it leads out of {root}")
    return file if is_there else None
