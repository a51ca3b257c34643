"""``python -m web``: the labeling app."""

from __future__ import annotations

import sys

from web.app import build_app
from web.start import launch, open_service, read_options


def main() -> None:
    """Start the app."""
    options = read_options(sys.argv[1:])
    service = open_service(options)
    launch(build_app(service), options, service.library.roots)


if __name__ == "__main__":
    main()
