"""What is known of each connected project: its Label Studio, its options."""

from __future__ import annotations

from dataclasses import dataclass

from clickmask.plugin.errors import RequestError
from clickmask.plugin.files.locations import Connection, is_http_address
from clickmask.plugin.projects.options import ProjectOptions
from clickmask.plugin.settings import Settings

LONGEST_ADDRESS = 2_000


@dataclass(frozen=True, slots=True)
class Project:
    """A connected project.

    Args:
        id: As Label Studio sends it: number and time of creation, "3.1795210561".
        connection: The Label Studio server it lives on.
        options: What it wants different.
    """

    id: str
    connection: Connection
    options: ProjectOptions

    @property
    def number(self) -> int:
        """Its number on its Label Studio server, 0 if unknown."""
        head = self.id.partition(".")[0]
        return int(head) if head.isdigit() else 0


def connect(hostname: str, access_token: str, settings: Settings) -> Connection:
    """The connection to a Label Studio that introduced itself.

    A configured address and key win over what the request says: the key never goes to an
    address that only a request named.

    Raises:
        RequestError: If the host name is no http(s) address.
    """
    alias = hostname.strip().rstrip("/")
    if alias and not (is_http_address(alias) and len(alias) <= LONGEST_ADDRESS):
        raise RequestError(f"hostname is {hostname[:200]!r}, wanted an address like http://label-studio:8080")
    if settings.label_studio_url:
        token = settings.label_studio_api_key or access_token
        return Connection(settings.label_studio_url, token, alias if alias != settings.label_studio_url else "")
    return Connection(alias, access_token)
