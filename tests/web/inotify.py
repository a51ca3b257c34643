"""Which files of a folder are opened, by whom- and whatsoever: the kernel tells, so that C libraries count too."""

from __future__ import annotations

import ctypes
import os
import select
import struct
from pathlib import Path

OPENED = 0x20
EVENT = struct.Struct("iIII")


class Watch:
    """Tells of every file that was opened below a folder (Linux)."""

    def __init__(self, folder: Path) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self._handle = libc.inotify_init()
        self._places: dict[int, Path] = {}
        for place in (folder, *(path for path in folder.rglob("*") if path.is_dir())):
            self._places[libc.inotify_add_watch(self._handle, os.fsencode(place), OPENED)] = place

    def opened(self) -> list[Path]:
        """What was opened since the last time; opening the folder itself to list it counts."""
        found = []
        while select.select([self._handle], [], [], 0)[0]:
            data = os.read(self._handle, 1 << 16)
            while data:
                watch, _, _, length = EVENT.unpack_from(data)
                name = data[EVENT.size : EVENT.size + length].rstrip(b"\0")
                found.append(self._places[watch] / os.fsdecode(name))
                data = data[EVENT.size + length :]
        return found

    def close(self) -> None:
        """Stop watching."""
        os.close(self._handle)
