"""The commands of ``python -m training``."""

from __future__ import annotations

from pathlib import Path

import pytest

from training.__main__ import main


@pytest.mark.parametrize("command", ["nano", "memory"])
def test_training_where_there_is_no_such_device(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The pool was made first, for an hour, and then came a traceback."""
    arguments = ["--data", str(tmp_path), "--out", str(tmp_path / "out"), "--minutes", "1", "--device", "hyperdrive"]
    assert main([command, *arguments]) == 1
    assert capsys.readouterr().err.startswith("error: device hyperdrive cannot be used here")
