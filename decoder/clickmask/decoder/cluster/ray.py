"""Connect to a Ray cluster, or say in a sentence why not; nothing here is imported unless Ray is asked for."""

from __future__ import annotations

import logging
import socket
from typing import Any

from clickmask.decoder.errors import ClusterError

CONNECT_SECONDS = 5.0


def connect(address: str) -> Any:
    """Join a cluster and return the module ``ray``; joining again is fine.

    Args:
        address: "auto" for the cluster this machine belongs to, "local" for one of this machine alone, or HOST:PORT.

    Raises:
        ClusterError: If Ray is not installed, the address is none, no cluster is there, or one of other versions.
    """
    try:
        import ray
    except ImportError:
        raise ClusterError("Ray is not installed, wanted the extra ray: pip install 'clickmask[ray]'") from None
    if address not in ("auto", "local"):
        _check_address(address)
    if ray.is_initialized():
        return ray
    for name in ("ray", "ray.data"):
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        ray.init(address, logging_level=logging.ERROR, log_to_driver=False, configure_logging=False)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise ClusterError(f"the cluster at {address} cannot be joined: {_reason(error)}") from None
    return ray


def _check_address(address: str) -> None:
    """Ray itself waits long for a cluster that is not there."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or "/" in host:
        raise ClusterError(f"{address!r} is no address of a cluster, wanted auto, local or HOST:PORT, usually :6379")
    try:
        socket.create_connection((host, int(port)), timeout=CONNECT_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise ClusterError(f"there is no cluster at {address}: {error}") from None


def _reason(error: Exception) -> str:
    return " ".join(line.strip() for line in str(error).splitlines() if line.strip())[:500]
