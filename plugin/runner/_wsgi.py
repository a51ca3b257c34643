"""What ``label-studio-ml start plugin/runner`` runs; the runner looks for a file of this name.

For a WSGI server: ``gunicorn --threads 8 'runner._wsgi:make_app()'``. More than one
worker process would load the model as often.
"""

from __future__ import annotations

import argparse
import inspect
import os
from collections.abc import Sequence
from typing import Any

from clickmask.decoder import ClickMaskError
from clickmask.plugin.errors import SettingsError
from clickmask.plugin.settings import read_settings


def make_app(user: str | None = None, password: str | None = None) -> Any:
    """Make the runner's Flask app around ``ClickMaskModel``.

    Args:
        user: Name that requests must carry; None for what the environment says.
        password: The password that goes with it.

    Raises:
        SettingsError: If a setting is wrong, or a password is wanted of 1.0.9, which would ask nobody for it.
    """
    settings = read_settings({"basic_auth_user": user, "basic_auth_pass": password}, os.environ)
    folder = settings.data_dir.expanduser() / "runner"
    for made in (folder.parent, folder):  # nobody else's to read: accepted task data lie there
        made.mkdir(parents=True, exist_ok=True, mode=0o700)
    # 2.x reads MODEL_DIR while any of it is imported, and writes into the working folder without
    model_dir = os.environ.setdefault("MODEL_DIR", str(folder))
    from label_studio_ml.api import init_app

    from runner.model import ClickMaskModel

    if "basic_auth_user" in inspect.signature(init_app).parameters:  # 2.x
        options = {"basic_auth_user": settings.basic_auth_user, "basic_auth_pass": settings.basic_auth_pass}
    elif settings.basic_auth_user:
        raise SettingsError("got a user name and a password, wanted none: label-studio-ml 1.0.9 asks nobody for them")
    else:
        options = {"model_dir": model_dir}  # 1.0.9 does not read MODEL_DIR by itself
    return init_app(model_class=ClickMaskModel, **options)


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve on the address the runner's command line names."""
    parser = argparse.ArgumentParser(prog="label-studio-ml start plugin/runner")
    parser.add_argument("--host", default="127.0.0.1", help="(default: %(default)s)")
    parser.add_argument("-p", "--port", type=int, default=9090, help="(default: %(default)s)")
    parser.add_argument("--basic-auth-user", help="user name that requests must carry (2.x; default BASIC_AUTH_USER)")
    parser.add_argument("--basic-auth-pass", help="the password that goes with it (2.x; default BASIC_AUTH_PASS)")
    chosen = parser.parse_args(arguments)
    try:
        app = make_app(chosen.basic_auth_user, chosen.basic_auth_pass)
    except ClickMaskError as error:
        parser.exit(2, f"error: {error}\n")
    app.run(host=chosen.host, port=chosen.port)


if __name__ == "__main__":
    main()
