"""What may not be imported early: PyTorch takes seconds, and so does its compiler."""

from __future__ import annotations

import subprocess
import sys

import pytest


def imported(statement: str, module: str) -> bool:
    """Whether a fresh Python that runs the statement has imported the module."""
    command = [sys.executable, "-c", f"import sys; {statement}; sys.exit(10 + ({module!r} in sys.modules))"]
    code = subprocess.run(command).returncode
    assert code in {10, 11}, f"{statement} fails"
    return code == 11


@pytest.mark.parametrize(
    "statement",
    ["import clickmask.decoder", "import clickmask.decoder.formats.registry", "import clickmask.web.photos.export"],
)
def test_files_are_converted_without_pytorch(statement: str) -> None:
    assert not imported(statement, "torch")


def test_every_public_name_of_the_decoder_can_be_had() -> None:
    assert not imported(
        "import clickmask.decoder as decoder; [getattr(decoder, name) for name in decoder.__all__]", "nothing"
    )
    assert imported("from clickmask.decoder import Engine", "torch")


def test_nano_is_loaded_without_pytorchs_compiler() -> None:
    assert not imported("from clickmask.decoder import load_model; load_model('nano')", "torch._dynamo")
