"""``python -m training COMMAND``: train the model in the box, from a checkout."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module

from clickmask.decoder.errors import ClickMaskError

COMMANDS = {  # name: (module with ``add_arguments(parser)`` and ``run(options)``, what it does)
    "nano": ("training.commands.train", "train the model in the box"),
    "calibrate": ("training.commands.calibrate", "make its predicted IoU right on average"),
    "memory": ("training.commands.train_memory", "train the memory that lets it track"),
}


def main(arguments: list[str] | None = None) -> int:
    """Run one command; errors meant for a person are printed as one line."""
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, (module_name, what) in COMMANDS.items():
        module = import_module(module_name)
        command = commands.add_parser(name, help=what, description=module.__doc__)
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    options = parser.parse_args(arguments)
    try:
        return int(options.run(options))
    except ClickMaskError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
