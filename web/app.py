"""The labeling app as a script: ``gradio web/app.py`` or ``python web/app.py``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / part) for part in ("decoder", "web")]  # nothing is installed

import gradio as gr  # noqa: E402

from clickmask.decoder import ClickMaskError  # noqa: E402
from clickmask.web.app import build_app  # noqa: E402
from clickmask.web.options import read_options  # noqa: E402
from clickmask.web.serve import serve  # noqa: E402
from clickmask.web.start import open_services  # noqa: E402

if __name__ == "__main__":
    options = read_options(sys.argv[1:], os.environ)
    if gr.NO_RELOAD:  # a saved file rebuilds the page, not the engine
        services = open_services(options)
    demo = build_app(services)
    try:
        serve(demo, options, services)
    except ClickMaskError as error:
        sys.exit(f"error: {error}")
