"""The port that the backend listens on."""

from __future__ import annotations

import socket
from contextlib import ExitStack

from clickmask.plugin.errors import SettingsError


def listen(host: str, port: int) -> socket.socket:
    """Take the port before anything is loaded.

    Raises:
        SettingsError: If another program has it, or the host is no address of this machine.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        with ExitStack() as closed_on_failure:
            listening = closed_on_failure.enter_context(socket.socket(family))
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
            closed_on_failure.pop_all()
    except OSError as error:
        reason = error.strerror or str(error)
        raise SettingsError(
            f"{host}:{port} cannot be listened on ({reason}): stop the program that has the port, or choose "
            f"another with --port or --host"
        ) from error
    return listening
