"""``clickmask``: what a newcomer meets first."""

from __future__ import annotations

import pytest

from clickmask.__main__ import COMMANDS, PROGRAMS, main


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-h"]) == 0
    said = capsys.readouterr().out
    assert all(f"  {name} " in said for name in {**PROGRAMS, **COMMANDS})


def test_an_unknown_command_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["frobnicate"]) == 2
    assert capsys.readouterr().err.startswith("error: unknown command 'frobnicate'")


@pytest.mark.parametrize("arguments", [["app", "--port", "99999"], ["studio", "--backend-port", "x"]])
def test_a_port_that_is_none_is_told_in_a_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """The app once ended in a traceback of the socket's."""
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert f"got {arguments[-1]!r}, wanted a whole number from 1 to 65535" in capsys.readouterr().err
