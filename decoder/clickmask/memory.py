"""How this process takes memory from the system: freed memory is kept for a while, for the next picture asks for it.

A network's layers take and give back maps of some megabytes. glibc hands those to the system and asks for them anew,
which costs a small network a quarter of its time.
"""

from __future__ import annotations

import ctypes
import platform

TRIM_THRESHOLD, MMAP_THRESHOLD, ARENA_MAX = -1, -3, -8  # as malloc.h numbers them
KEPT_BYTES = 2**26  # by each arena, at most
ARENAS = 2


def keep_freed_memory() -> None:
    """Tell glibc to keep freed memory, 64 MiB in each of two arenas; other C libraries are left alone."""
    if platform.libc_ver()[0] != "glibc":
        return
    malloc_options = ctypes.CDLL(None).mallopt
    malloc_options(ARENA_MAX, ARENAS)
    malloc_options(MMAP_THRESHOLD, KEPT_BYTES // 2)  # what glibc allows at most
    malloc_options(TRIM_THRESHOLD, KEPT_BYTES)
