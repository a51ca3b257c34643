"""Options that several commands share."""

from __future__ import annotations

import argparse

from decoder.models import DEFAULT_MODEL


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """Which model, and where it computes."""
    parser.add_argument(
        "--model",
        default=DEFAULT_MODEL,
        help="a name from `python -m decoder models`, or a .pt or .safetensors file (default: %(default)s)",
    )
    parser.add_argument("--device", default="cpu", help="where to compute, such as cpu or cuda (default: %(default)s)")
