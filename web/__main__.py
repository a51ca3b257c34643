"""``python -m web``: the labeling app."""

from __future__ import annotations

import sys

from web.app import build_app
from web.start import launch, open_services, read_options


def main() -> None:
    """Start the app."""
    options = read_options(sys.argv[1:])
    services = open_services(options)
    launch(build_app(services), options, services.photos.library.roots)


if __name__ == "__main__":
    main()
