"""What ``label-studio-ml start plugin/runner`` runs; the runner looks for a file of this name.

For a WSGI server: ``gunicorn --threads 8 'plugin.runner._wsgi:make_app()'``. More than one
worker process would load the model as often.
"""

from __future__ import annotations

import argparse
import inspect
import os
from collections.abc import Sequence
from typing import Any


def make_app() -> Any:
    """Make the runner's Flask app around ``ClickMaskModel``."""
    from plugin.runner.model import ClickMaskModel, shared_settings

    folder = shared_settings().data_dir.expanduser() / "runner"
    folder.mkdir(parents=True, exist_ok=True)
    model_dir = os.environ.setdefault("MODEL_DIR", str(folder))  # else the runner writes beside this file
    from label_studio_ml.api import init_app  # 2.x reads MODEL_DIR while it is imported

    takes_options = any(it.kind is it.VAR_KEYWORD for it in inspect.signature(init_app).parameters.values())
    options = {"model_dir": model_dir} if takes_options else {}  # 1.0.9 does not read MODEL_DIR by itself
    return init_app(model_class=ClickMaskModel, **options)


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve on the address the runner's command line names."""
    parser = argparse.ArgumentParser(prog="label-studio-ml start plugin/runner")
    parser.add_argument("--host", default="127.0.0.1", help="(default: %(default)s)")
    parser.add_argument("-p", "--port", type=int, default=9090, help="(default: %(default)s)")
    chosen = parser.parse_args(arguments)
    make_app().run(host=chosen.host, port=chosen.port)


if __name__ == "__main__":
    main()
