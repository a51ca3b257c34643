"""How exports run: each in a process and a folder of its own, which goes again after a while."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from clickmask.decoder import DatasetError

Report = Callable[[int, int], None]  # how many are done, and of how many

PREFIX = "export-"
KEPT_S = 24 * 3600  # long enough to fetch a file after a day's work


def run_apart(module: str, request: dict[str, Any], report: Report) -> dict[str, Any]:
    """Export in a new process, ``python -m module``, into a new folder inside the request's ``target``.

    An exception in ``report`` ends the process.

    Returns:
        What the module said of the file that it wrote: ``path``, and what it counted.

    Raises:
        DatasetError: If the export fails, or the process stops without a word.
    """
    with export_folder(Path(request["target"])) as folder:
        return _run(module, json.dumps({**request, "target": str(folder)}), report)


def say(**message: Any) -> None:
    """Tell the process that waits, see ``run_apart``."""
    print(json.dumps(message), flush=True)


@contextmanager
def export_folder(exports: Path) -> Iterator[Path]:
    """Give a new folder inside ``exports``; it stays if the work inside succeeds, and goes if it fails.

    Raises:
        DatasetError: If the disk refuses.
    """
    try:
        exports.mkdir(parents=True, exist_ok=True)
        remove_old(exports, time.time() - KEPT_S)
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=exports))
    except OSError as error:
        raise DatasetError(f"cannot write {exports}: {error.strerror or error}") from error
    try:
        yield folder
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def remove_old(exports: Path, before: float) -> None:
    """Remove the export folders that were last changed before a time [s since 1970]; nothing else is touched."""
    for folder in exports.glob(f"{PREFIX}*"):
        if folder.is_dir() and folder.stat().st_mtime < before:
            shutil.rmtree(folder, ignore_errors=True)


def zipped(folder: Path) -> Path:
    """Put a folder's files into ``folder.zip`` beside it, and remove the folder."""
    file = Path(shutil.make_archive(str(folder), "zip", folder))
    shutil.rmtree(folder, ignore_errors=True)
    return file


def _run(module: str, request: str, report: Report) -> dict[str, Any]:
    """Run ``python -m module request`` and return what it says with a ``path``; the process ends with this call.

    Raises:
        DatasetError: If it says that it failed, or stops without a word.
    """
    command = [sys.executable, "-m", module, request]
    said = ""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            for line in process.stdout or ():
                message = _message(line)
                if "path" in message:
                    return message
                if "error" in message:
                    raise DatasetError(message["error"])
                if "done" in message:
                    report(message["done"], message["total"])
                said = line.strip() or said
        finally:
            process.kill()
    raise DatasetError(f"the export stopped unexpectedly: {said}")


def _message(line: str) -> dict[str, Any]:
    """What the process said, or nothing if a library printed something."""
    try:
        message = json.loads(line)
    except json.JSONDecodeError:
        return {}
    return message if isinstance(message, dict) else {}
