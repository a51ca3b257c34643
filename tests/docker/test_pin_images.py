"""The images that ours are built and run on can be pinned by digest. A stand-in answers for the registry."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

DOCKER = Path(__file__).parents[2] / "docker"
ANSWER = """#!/bin/sh
[ "$1 $2 $3" = "buildx imagetools inspect" ] || exit 1
case "$4" in
  debian:bookworm-slim) echo sha256:{digit}{rest} ;;
  heartexlabs/label-studio:*) echo sha256:b{rest} ;;
  *) echo "no such image: $4" >&2; exit 1 ;;
esac
"""


def pin(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the program on copies of the files."""
    environ = {**os.environ, "PATH": str(folder)}
    command = [sys.executable, str(folder / "pin_images.py")]
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=False)


def answer(folder: Path, digit: str) -> None:
    """Put a ``docker`` there that knows digests."""
    (folder / "docker").write_text(
        ANSWER.format(digit=digit, rest="0" * 63).replace("#!/bin/sh", f"#!{shutil.which('sh')}")
    )
    (folder / "docker").chmod(0o755)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("Dockerfile", "compose.yaml", "pin_images.py"):
        shutil.copy(DOCKER / name, tmp_path)
    return tmp_path


def test_every_image_gets_the_digest_of_its_tag_and_later_the_next_one(folder: Path) -> None:
    for digit in "ac":
        answer(folder, digit)
        assert pin(folder).returncode == 0
        assert f"ARG BASE_IMAGE=debian:bookworm-slim@sha256:{digit}{'0' * 63}\n" in (folder / "Dockerfile").read_text()
        pinned = f"heartexlabs/label-studio:latest@sha256:b{'0' * 63}}}\n"
        assert f"image: ${{LABEL_STUDIO_IMAGE:-{pinned}" in (folder / "compose.yaml").read_text()


def test_what_is_missing_is_told_and_nothing_is_changed(folder: Path) -> None:
    before = (folder / "Dockerfile").read_text()
    assert "docker is not here" in pin(folder).stderr
    answer(folder, "nonsense")
    assert "got 'sha256:nonsense" in pin(folder).stderr
    assert (folder / "Dockerfile").read_text() == before
