"""Pin the images that ours are built and run on by their digests: ``make images``, on a machine with Docker.

Asks the registry what each tag is now (``docker buildx imagetools inspect`` pulls nothing) and writes it behind the
tag, so that everybody gets the very same image. Run again to move on to what the tags have become.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
NAMED = {
    "Dockerfile": r"(?<=^ARG BASE_IMAGE=)[^@\s]+(?:@sha256:[0-9a-f]+)?$",
    "compose.yaml": r"(?<=LABEL_STUDIO_IMAGE:-)[^@}\s]+(?:@sha256:[0-9a-f]+)?(?=\})",
}
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def main() -> None:
    """Pin every image that a file here names."""
    for file, pattern in NAMED.items():
        path = FOLDER / file
        pinned = re.sub(pattern, lambda found: pin(found[0]), path.read_text(), flags=re.MULTILINE)
        path.write_text(pinned)


def pin(image: str) -> str:
    """Return an image's name with the digest that its tag has now."""
    tag = image.partition("@")[0]
    command = ["docker", "buildx", "imagetools", "inspect", tag, "--format", "{{.Manifest.Digest}}"]
    try:
        digest = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except FileNotFoundError:
        sys.exit("docker is not here: wanted Docker with buildx, to ask the registry for digests")
    except subprocess.CalledProcessError as error:
        sys.exit(f"{tag}: the registry does not say what it is: {error.stderr.strip()}")
    if not DIGEST.fullmatch(digest):
        sys.exit(f"{tag}: got {digest[:80]!r} as its digest, wanted sha256 and 64 digits")
    print(f"{tag}@{digest}")
    return f"{tag}@{digest}"


if __name__ == "__main__":
    main()
