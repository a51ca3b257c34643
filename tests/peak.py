"""The most memory this process held, on Linux.

Not ``getrusage``: its peak is handed from a process to the programs it starts, so that a small program started by a
large one never shows what it needs itself.
"""

from __future__ import annotations

import re
from pathlib import Path


def peak_kib() -> int:
    """Most resident memory since the program began, or since ``forget_peak`` [KiB]."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1])


def forget_peak() -> None:
    """Begin anew with what is resident now."""
    Path("/proc/self/clear_refs").write_text("5")
