"""``python -m decoder COMMAND``: the decoder from the command line."""

from __future__ import annotations

import argparse
import os
import sys
from importlib import import_module

from decoder.errors import ClickMaskError

COMMANDS = {  # name: (module, what it does)
    "segment": ("decoder.commands.segment", "segment what is clicked in a photo and write COCO"),
    "convert": ("decoder.formats.command", "convert annotations between formats"),
    "models": ("decoder.commands.models", "list the models"),
    "evaluate": ("decoder.commands.evaluate", "measure how many clicks an object takes"),
    "evaluate-video": ("decoder.track.evaluate_command", "measure how well objects are tracked through videos"),
    "track": ("decoder.track.command", "follow objects through a video"),
    "train-nano": ("decoder.commands.train_nano", "train the model in the box"),
    "calibrate-nano": ("decoder.commands.calibrate_nano", "make its predicted IoU right on average"),
    "train-nano-memory": ("decoder.commands.train_nano_memory", "train the memory that lets it track"),
}


def main(argv: list[str]) -> int:
    """Run one command; errors meant for a person are printed as one line."""
    command = argv[0] if argv else ""
    if command in {"-h", "--help"}:
        print(_usage())
        return 0
    if command not in COMMANDS:
        unknown = f"error: unknown command {command!r}\n" if command else ""
        print(f"{unknown}{_usage()}", file=sys.stderr)
        return 2
    try:
        return _run(command, argv[1:])
    except ClickMaskError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # the reader of a pipe, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except OSError as error:  # a disk that is full, a folder that may not be written
        print(f"error: {error.filename}: {error.strerror}" if error.filename else f"error: {error}", file=sys.stderr)
        return 1
    except ModuleNotFoundError as error:
        print(f"error: {command} needs the package {error.name}, see the extras in pyproject.toml", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _run(command: str, arguments: list[str]) -> int:
    module = import_module(COMMANDS[command][0])
    parser = argparse.ArgumentParser(prog=f"python -m decoder {command}", description=module.__doc__)
    module.add_arguments(parser)
    return int(module.run(parser.parse_args(arguments)))


def _usage() -> str:
    lines = [f"  {name:19}{what}" for name, (_, what) in COMMANDS.items()]
    return "\n".join(["usage: python -m decoder COMMAND ...; -h after a command explains it", *lines])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
