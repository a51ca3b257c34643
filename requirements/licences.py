"""Print the licences of all installed packages that a lock file names: ``python requirements/licences.py web``."""

from __future__ import annotations

import re
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path


def licence(package: Distribution) -> str:
    """The licence as the package states it: its expression, else its classifiers, else the first line of its field."""
    stated = package.metadata
    classifiers = [text.split(" :: ")[-1] for text in stated.get_all("Classifier", []) if text.startswith("License ::")]
    field = (stated.get("License") or "").strip().split("\n")[0]
    return stated.get("License-Expression") or ", ".join(classifiers) or field or "not stated"


def main(extra: str) -> int:
    """Print one line a package; returns 1 if one that this machine needs is not installed."""
    text = Path(__file__).with_name(f"{extra}.txt").read_text()
    missing = 0
    for name, marker in re.findall(r"^([\w.-]+)==[^\s;]+(?: ; (.*?))? \\$", text, re.MULTILINE):
        try:
            package = distribution(name)
        except PackageNotFoundError:
            missing += not marker  # a package of another system is no loss
            print(f"{name:32}not installed {f'(only where {marker})' if marker else ''}")
        else:
            print(f"{name:32}{package.version:16}{licence(package)}")
    return min(missing, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "web"))
