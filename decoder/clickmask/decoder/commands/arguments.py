"""Options that several commands share."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from clickmask.decoder.checkpoints import load_model
from clickmask.decoder.errors import LearningError
from clickmask.decoder.learning.adapter import adapt
from clickmask.decoder.learning.versions import Versions
from clickmask.decoder.models import DEFAULT_MODEL, DEVICE_HELP, IMAGE_SIDE_HELP, PRECISION_HELP, PRECISIONS, Model


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """Which model, and where it computes."""
    parser.add_argument(
        "--model",
        default=DEFAULT_MODEL,
        help="a name from `clickmask models`, a file or folder of weights, or owner/name on the Hugging Face hub "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--image-side",
        type=int,
        metavar="PX",
        help=IMAGE_SIDE_HELP,
    )
    parser.add_argument("--device", default="auto", help=f"{DEVICE_HELP} (default: %(default)s)")
    parser.add_argument(
        "--precision", choices=PRECISIONS, default="float32", help=f"{PRECISION_HELP} (default: %(default)s)"
    )


class _RenamedToZoom(argparse.Action):
    """``--refine``, the name of ``--zoom`` in 0.1."""

    def __call__(self, _parser: object, namespace: argparse.Namespace, *_: object) -> None:
        print("--refine is called --zoom now, and will go with the next release", file=sys.stderr)
        namespace.zoom = True


def add_zoom_argument(parser: argparse.ArgumentParser, help_text: str) -> None:
    """``--zoom`` and ``--no-zoom``: whether answers get a second look; None where it was not said."""
    parser.add_argument("--zoom", action=argparse.BooleanOptionalAction, default=None, help=help_text)
    parser.add_argument("--refine", action=_RenamedToZoom, nargs=0, help=argparse.SUPPRESS)


def add_learned_argument(parser: argparse.ArgumentParser) -> None:
    """``--learned``: what a project taught."""
    parser.add_argument(
        "--learned", type=Path, metavar="DIR", help="answer with what `clickmask learn --project DIR` learned"
    )


def load_asked_model(arguments: argparse.Namespace) -> Model:
    """Load the model that these options name, with what it learned; raises as ``load_model`` and ``adapt``.

    Raises:
        LearningError: If the folder that is named has learned nothing.
    """
    model = load_model(
        arguments.model, device=arguments.device, precision=arguments.precision, image_side=arguments.image_side
    )
    folder: Path | None = getattr(arguments, "learned", None)
    if folder is None:
        return model
    adapter = Versions(folder, folder.resolve().name).adapter()
    if adapter is None:
        raise LearningError(f"{folder} holds nothing that is in use: see `clickmask learn --project {folder} --list`")
    return adapt(model, adapter)
