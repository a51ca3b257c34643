"""``clickmask app``: the labeling app."""

from __future__ import annotations

import os
import sys

from clickmask.web.app import build_app
from clickmask.web.options import read_options
from clickmask.web.serve import serve
from clickmask.web.start import open_services


def main(arguments: list[str]) -> int:
    """Serve the app until interrupted; returns the exit code."""
    options = read_options(arguments, os.environ)
    services = open_services(options)
    serve(build_app(services), options, services)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
