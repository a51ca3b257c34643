"""Run the benchmarks behind the README's figures, each in a process of its own: ``python -m benchmarks [NAME ...]``."""

from __future__ import annotations

import argparse
import subprocess
import sys

PROGRAMS = ("decoder", "shapes", "formats", "label_studio", "load", "web", "track", "faults")


def main() -> int:
    """Run the named programs, or all, one after another; fail if one fails."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(PROGRAMS)} (default: all)")
    names = parser.parse_args().names
    if unknown := set(names) - set(PROGRAMS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}, wanted some of {', '.join(PROGRAMS)}")
    failed = []
    for name in names or PROGRAMS:
        print(f"\n## {name}\n", flush=True)
        if subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False).returncode:
            failed.append(name)
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return len(failed)


if __name__ == "__main__":
    sys.exit(main())
