"""Command line of the studio: ``clickmask studio``."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from clickmask.decoder import ClickMaskError
from clickmask.plugin.labels import label_config_names
from clickmask.plugin.studio.command import StudioOptions, run_studio


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the studio until Ctrl-C; return the exit code."""
    options = _parse(arguments)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        run_studio(options, os.environ)
    except KeyboardInterrupt:
        print("\nStopped.")
    except ClickMaskError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _parse(arguments: Sequence[str] | None) -> StudioOptions:
    parser = argparse.ArgumentParser(
        prog="clickmask studio",
        description="Install and start Label Studio with the ClickMask backend connected and photos to click in.",
    )
    default = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "clickmask"
    parser.add_argument("--port", type=_port, default=8080, help="port of Label Studio (default: %(default)s)")
    parser.add_argument("--backend-port", type=_port, default=9090, help="port of the backend (default: %(default)s)")
    labels = "how answers are drawn: a config of plugin/labels (default: %(default)s)"
    parser.add_argument("--labels", choices=label_config_names(), default="polygon", help=labels)
    parser.add_argument("--cache-dir", type=Path, default=default, help="environment, database, logs (%(default)s)")
    parser.add_argument("backend_arguments", nargs="*", metavar="-- ARGUMENT", help="passed on to clickmask backend")
    return StudioOptions(**vars(parser.parse_args(arguments)))


def _port(text: str) -> int:
    if not (text.isdecimal() and 0 < int(text) < 2**16):
        raise argparse.ArgumentTypeError(f"got {text!r}, wanted a whole number from 1 to 65535")
    return int(text)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    """Make a polite kill end as Ctrl-C does: both servers stop first."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
