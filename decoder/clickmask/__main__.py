"""``clickmask COMMAND``: everything from one command line."""

from __future__ import annotations

import argparse
import os
import sys
from importlib import import_module

from clickmask.decoder.errors import ClickMaskError
from clickmask.memory import keep_freed_memory

PROGRAMS = {  # name: (module with ``main(arguments)``, what it does)
    "app": ("clickmask.web.__main__", "open the labeling app in a browser"),
    "backend": ("clickmask.plugin.__main__", "serve Label Studio's clicks, or prepare a project of it"),
    "doctor": ("clickmask.plugin.doctor.__main__", "look at everything between a click and its answer"),
    "prelabel": ("clickmask.plugin.prelabel", "segment or track all tasks of a Label Studio project (--project N)"),
    "studio": ("clickmask.plugin.studio.__main__", "install and start a Label Studio that is connected to the backend"),
}
COMMANDS = {  # name: (module with ``add_arguments(parser)`` and ``run(options)``, what it does)
    "segment": ("clickmask.decoder.commands.segment", "segment what is clicked in a photo and write COCO"),
    "track": ("clickmask.decoder.commands.track", "follow objects through a video"),
    "label": ("clickmask.decoder.commands.label", "label a folder of pictures, or make masks of boxes and points"),
    "learn": ("clickmask.decoder.commands.learn", "learn from labeled objects, so that the next need fewer clicks"),
    "convert": ("clickmask.decoder.commands.convert", "convert annotations between formats"),
    "models": ("clickmask.decoder.commands.models", "list the models"),
    "evaluate": ("clickmask.decoder.commands.evaluate", "measure how many clicks an object takes"),
    "evaluate-video": (
        "clickmask.decoder.commands.evaluate_video",
        "measure how well objects are tracked through videos",
    ),
}


def main(arguments: list[str] | None = None) -> int:
    """Run one command; errors meant for a person are printed as one line."""
    command, *rest = sys.argv[1:] if arguments is None else arguments or [""]
    if command in {"-h", "--help"}:
        print(_usage())
        return 0
    if command not in PROGRAMS and command not in COMMANDS:
        unknown = f"error: unknown command {command!r}\n" if command else ""
        print(f"{unknown}{_usage()}", file=sys.stderr)
        return 2
    keep_freed_memory()
    try:
        return _run_program(command, rest) if command in PROGRAMS else _run_command(command, rest)
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


def _run_program(name: str, arguments: list[str]) -> int:
    return int(import_module(PROGRAMS[name][0]).main(arguments))


def _run_command(name: str, arguments: list[str]) -> int:
    module = import_module(COMMANDS[name][0])
    parser = argparse.ArgumentParser(prog=f"clickmask {name}", description=module.__doc__)
    module.add_arguments(parser)
    return int(module.run(parser.parse_args(arguments)))


def _usage() -> str:
    lines = [f"  {name:16}{what}" for name, (_, what) in {**PROGRAMS, **COMMANDS}.items()]
    return "\n".join(["usage: clickmask COMMAND ...; -h after a command explains it", *lines])


if __name__ == "__main__":
    sys.exit(main())
