"""``python -m decoder COMMAND``: the decoder from the command line."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module

from decoder.errors import ClickMaskError

COMMANDS = {
    "segment": "decoder.commands.segment",
    "models": "decoder.commands.models",
}


def main(argv: list[str]) -> int:
    """Run one command; errors meant for a person are printed as one line."""
    command = argv[0] if argv else ""
    if command not in COMMANDS:
        print(f"usage: python -m decoder {{{','.join(COMMANDS)}}} ...", file=sys.stderr)
        return 0 if command in {"-h", "--help"} else 2
    module = import_module(COMMANDS[command])
    parser = argparse.ArgumentParser(prog=f"python -m decoder {command}", description=module.__doc__)
    module.add_arguments(parser)
    arguments = parser.parse_args(argv[1:])
    try:
        return int(module.run(arguments))
    except ClickMaskError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
