"""``clickmask backend``: start the backend, or prepare a project for it.

Reads the environment and hands it in, so that nothing else of the backend does.
"""

from __future__ import annotations

import argparse
import gc
import logging
import os
import sys
from collections.abc import Sequence

import uvicorn

from clickmask.decoder import ClickMaskError
from clickmask.plugin.build import build_backend
from clickmask.plugin.commands import add_commands, run_command
from clickmask.plugin.server.app import make_app
from clickmask.plugin.settings import Settings, add_flags, read_settings


def main(arguments: Sequence[str]) -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="clickmask backend", description="ClickMask's Label Studio ML backend.")
    add_commands(parser)
    add_flags(parser)
    given = parser.parse_args(arguments)
    try:
        settings = read_settings(vars(given), os.environ)
        logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
        logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs whole URLs, and presigned ones are secrets
        if given.command == "serve":
            serve(settings)
        else:
            run_command(given, build_backend(settings))
    except ClickMaskError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


def serve(settings: Settings) -> None:
    """Answer Label Studio until interrupted."""
    app = make_app(build_backend(settings))
    gc.freeze()  # or a collection walks all that PyTorch brings, and nobody is answered for 150 ms
    logging.getLogger(__name__).info("ClickMask backend at http://%s:%d", settings.host, settings.port)
    uvicorn.run(app, host=settings.host, port=settings.port, access_log=False, log_level=settings.log_level.lower())


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
