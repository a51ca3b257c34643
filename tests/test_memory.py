"""Freed memory stays with the process."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

MAPS = """
import resource
import numpy as np
{first}
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
def layers():
    maps = [np.empty(6 * 2**20, np.uint8) for _ in range(4)]
    for one in maps:
        one.fill(1)
layers()
before = faults()
for _ in range(20):
    layers()
print(faults() - before)
"""


def faults(first: str) -> int:
    """Pages that the system had to give anew while a process made 20 times four maps of 6 MiB."""
    return int(subprocess.check_output([sys.executable, "-c", MAPS.format(first=first)], text=True))


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library is left alone")
def test_maps_of_some_megabytes_are_not_asked_for_anew() -> None:
    pages = 20 * 4 * 6 * 2**20 // 4096
    assert faults("") > pages / 10
    assert faults("from clickmask.memory import keep_freed_memory; keep_freed_memory()") < pages / 100
