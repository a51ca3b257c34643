"""``clickmask doctor``: look at everything between a click and its answer, and say what to do."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing

from clickmask.decoder import ClickMaskError
from clickmask.plugin.build import build_backend
from clickmask.plugin.doctor.findings import Finding, from_error
from clickmask.plugin.doctor.label_studio import label_studio_findings
from clickmask.plugin.doctor.machine import machine_findings
from clickmask.plugin.settings import Settings, add_flags, read_settings


def main(arguments: Sequence[str]) -> int:
    """Print one line per thing looked at; returns 1 if any is wrong."""
    parser = argparse.ArgumentParser(prog="clickmask doctor", description=__doc__)
    parser.add_argument("--project", type=int, help="number of a project in Label Studio to look at too")
    add_flags(parser)
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.ERROR)
    wrong = False
    for finding in _findings(vars(given), given.project):
        print(finding.line(), flush=True)
        wrong = wrong or finding.state == "wrong"
    return int(wrong)


def _findings(flags: dict[str, str | None], project: int | None) -> Iterator[Finding]:
    try:
        settings = read_settings(flags, os.environ)
    except ClickMaskError as error:
        yield from_error(error)
        return
    yield from machine_findings(settings, os.environ)
    try:
        yield from _other_side(settings, project)
    except ClickMaskError as error:
        yield from_error(error)


def _other_side(settings: Settings, project: int | None) -> Iterator[Finding]:
    with closing(build_backend(settings)) as backend:
        yield from label_studio_findings(backend, project)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
