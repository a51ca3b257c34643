"""What a person can choose when starting the app."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from clickmask.decoder import DEFAULT_MODEL, DEVICE_HELP, IMAGE_SIDE_HELP, PRECISION_HELP, PRECISIONS, Precision

PEOPLE = "CLICKMASK_AUTH"  # environment variable: a command line is seen by everyone on the machine


@dataclass(frozen=True, slots=True)
class Options:
    """The choices; ``auth`` holds names and passwords."""

    roots: tuple[Path, ...]
    home: Path
    model: str
    device: str
    precision: Precision
    image_side: int | None
    host: str
    port: int | None
    auth: tuple[tuple[str, str], ...]
    engine: str = ""
    allowed_hosts: tuple[str, ...] = ()


def read_options(arguments: Sequence[str], environment: Mapping[str, str]) -> Options:
    """Parse the command line; prints help or what is wrong and leaves when asked to."""
    parser = argparse.ArgumentParser("clickmask app", description="Label pictures by clicking: the ClickMask app.")
    add = parser.add_argument
    folders = "folder whose pictures and subfolders may be opened; may be given again (the sample photos)"
    add("--root", type=Path, action="append", metavar="DIR", help=folders)
    home = "where the sample photos and the labels of read-only folders are kept (%(default)s)"
    add("--home", type=Path, default=Path.home() / "ClickMask", metavar="DIR", help=home)
    add("--model", default=DEFAULT_MODEL, help="name or weights file (%(default)s)")
    add("--device", default="auto", help=f"{DEVICE_HELP} (%(default)s)")
    add("--image-side", type=int, metavar="PX", help=IMAGE_SIDE_HELP)
    add("--engine", default="", metavar="ADDRESS", help="decoders on a Ray cluster, such as ray://head:8000 (here)")
    add("--precision", choices=PRECISIONS, default="float32", help=f"{PRECISION_HELP} (%(default)s)")
    add("--host", default="127.0.0.1", help="address to listen on, 0.0.0.0 for all (%(default)s)")
    add("--port", type=_port, help="port to listen on (the first free one from 7860)")
    hosts = "name the app is reached by, besides localhost and addresses; may be given again, * knows all"
    add("--allowed-hosts", action="append", default=[], metavar="NAME", help=hosts)
    login = f"ask for a login; may be given again. Better in the variable {PEOPLE}, one a line"
    add("--auth", type=_name_and_password, action="append", default=[], metavar="NAME:PASSWORD", help=login)
    found = parser.parse_args(arguments)
    for root in found.root or []:
        if not root.is_dir():
            parser.error(f"--root {root} is not a folder")
    try:
        people = [_name_and_password(line) for line in environment.get(PEOPLE, "").splitlines() if line.strip()]
    except argparse.ArgumentTypeError:
        parser.error(f"{PEOPLE} holds a line that is not NAME:PASSWORD")
    return Options(
        roots=tuple(root.resolve() for root in found.root or []),
        home=found.home.expanduser().resolve(),
        model=found.model,
        device=found.device,
        precision=found.precision,
        image_side=found.image_side,
        host=found.host,
        port=found.port,
        auth=(*people, *found.auth),
        engine=found.engine,
        allowed_hosts=tuple(name for names in found.allowed_hosts for name in names.split(",") if name),
    )


def _name_and_password(text: str) -> tuple[str, str]:
    name, separator, password = text.strip().partition(":")
    if not (name and separator and password):
        raise argparse.ArgumentTypeError("wanted NAME:PASSWORD")  # never what was got: it may be a password
    return name, password


def _port(text: str) -> int:
    if not (text.isdecimal() and 0 < int(text) < 2**16):
        raise argparse.ArgumentTypeError(f"got {text!r}, wanted a whole number from 1 to 65535")
    return int(text)
