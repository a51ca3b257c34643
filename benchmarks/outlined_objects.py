"""Write the held-out objects of the pack of masks as a data set for ``clickmask evaluate``.

    python -m benchmarks.outlined_objects MASKS OUT
    clickmask evaluate OUT --zoom

MASKS holds ``masks.json``, ``images`` and ``masks``. One photo in ten was never trained on, by the hash of its source
and its bytes, see ``training.outlined``; at most two objects of each are written.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

import cv2
import numpy as np

from training.outlined import read_ids, read_outlined

AREA_SHARE = (0.004, 0.8)  # of the photo, for an object to be measured


def main() -> None:
    """Write the set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("masks", type=Path, help="pack of masks: masks.json, images/, masks/")
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    print(f"wrote {write_outlined(arguments.masks, arguments.out)} objects to {arguments.out}")


def write_outlined(folder: Path, out: Path, *, per_photo: int = 2, seed: int = 1) -> int:
    """Write held-out objects as a data set to evaluate on, in the form ``read_segments`` reads.

    Args:
        folder: See ``read_outlined``.
        out: Gets ``index.json`` and ``masks``; pictures are copied to ``images``.
        per_photo: At most so many objects of a photo, drawn at random among those of fitting size.
        seed: Of that choice.

    Returns:
        How many objects there are.

    Raises:
        DatasetError: See ``read_outlined`` and ``read_ids``.
    """
    rng = np.random.default_rng(seed)
    index: list[dict[str, str]] = []
    for name in ("images", "masks"):
        (out / name).mkdir(parents=True, exist_ok=True)
    for photo in sorted(read_outlined(folder, held_out=True), key=lambda photo: photo.image.name):
        ids = read_ids(photo.wholes)
        numbers, counts = np.unique(ids[ids > 0], return_counts=True)
        shares = counts / ids.size
        fitting = numbers[(shares > AREA_SHARE[0]) & (shares < AREA_SHARE[1])]
        for number in sorted(rng.permutation(fitting)[:per_photo]):
            paths = {"image": f"images/{photo.image.name}", "mask": f"masks/{photo.image.stem}_{number}.png"}
            shutil.copyfile(photo.image, out / paths["image"])
            cv2.imwrite(str(out / paths["mask"]), np.where(ids == number, 255, 0).astype(np.uint8))
            index.append(paths)
    (out / "index.json").write_text(json.dumps(index, indent=1))
    return len(index)


if __name__ == "__main__":
    main()
