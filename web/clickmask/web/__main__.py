"""``clickmask app``: the labeling app."""

from __future__ import annotations

import sys

from clickmask.web.app import build_app
from clickmask.web.start import launch, open_services, read_options


def main(arguments: list[str]) -> int:
    """Serve the app until interrupted; returns the exit code."""
    options = read_options(arguments)
    services = open_services(options)
    launch(build_app(services), options, services.photos.library.roots)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
