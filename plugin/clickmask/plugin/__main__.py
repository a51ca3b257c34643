"""``clickmask backend``: start the backend, or prepare a project for it.

Reads the environment and hands it in, so that nothing else of the backend does.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence

from clickmask.decoder import ClickMaskError
from clickmask.plugin.build import build_backend
from clickmask.plugin.commands import add_commands, run_command
from clickmask.plugin.server.failures import OneLineFormatter
from clickmask.plugin.server.serve import serve
from clickmask.plugin.settings import add_flags, read_settings


def main(arguments: Sequence[str]) -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="clickmask backend", description="ClickMask's Label Studio ML backend.")
    add_commands(parser)
    add_flags(parser)
    given = parser.parse_args(arguments)
    try:
        settings = read_settings(vars(given), os.environ)
        log = logging.StreamHandler(sys.stderr)
        log.setFormatter(OneLineFormatter("%(asctime)s %(levelname)s %(message)s"))
        logging.basicConfig(level=settings.log_level, handlers=[log])
        logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs whole URLs, and presigned ones are secrets
        if given.command == "serve":
            serve(settings)
        else:
            return run_command(given, build_backend(settings))
    except ClickMaskError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
