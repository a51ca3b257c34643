"""Memory and time to read a COCO file of many annotations: ours beside pycocotools and supervision.

``python -m benchmarks.formats`` writes the file once and reads it with each in a process of
its own, several times in turn; medians are printed as a Markdown table. ``--alone --annotations 1000000``
measures ours only: the others hold the whole file in memory.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from clickmask.decoder.formats.coco import to_coco_annotation
from clickmask.decoder.formats.json_writer import JsonArrays

PER_IMAGE = 10
WIDTH, HEIGHT = 640, 480
OURS = {
    "this project: read to masks' run lengths, write again": """
from clickmask.decoder.formats.coco import read_coco, write_coco
from clickmask.decoder.formats.options import WriteOptions
BEGIN()
write_coco(read_coco(Path(sys.argv[1])), Path(sys.argv[1] + ".again"), WriteOptions(encoding="rle"))
""",
}
OTHERS = {
    "pycocotools: load only": """
from pycocotools.coco import COCO
BEGIN()
COCO(sys.argv[1])
""",
    "supervision: load without masks": """
import supervision
BEGIN()
supervision.DetectionDataset.from_coco(sys.argv[2], sys.argv[1])
""",
}
FRAME = """
import json, sys, time
from pathlib import Path
from tests.peak import peak_kib
def BEGIN():
    global memory, started
    memory, started = peak_kib(), time.process_time()
{body}
print(json.dumps([time.process_time() - started, (peak_kib() - memory) / 1024]))
"""


def write_dataset(path: Path, annotations: int) -> None:
    """Write wavy objects of about 100 points each."""
    canvas = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.ellipse(canvas, (320, 240), (90, 50), 30, 0, 360, 1, -1)
    element = to_coco_annotation(canvas.astype(bool), annotation_id=0, image_id=0, category_id=1)
    with JsonArrays(path, ("images", "annotations", "categories"), {}) as arrays:
        arrays.append("categories", {"id": 1, "name": "object", "supercategory": ""})
        for number in range(annotations):
            arrays.append("annotations", element | {"id": number, "image_id": number // PER_IMAGE})
        for number in range(annotations // PER_IMAGE):
            arrays.append("images", {"id": number, "file_name": f"{number}.jpg", "height": HEIGHT, "width": WIDTH})


def write_pictures(images: Path, count: int) -> None:
    """Write the (empty) pictures, for readers that open them."""
    images.mkdir()
    Image.new("RGB", (WIDTH, HEIGHT)).save(images / "0.jpg")
    for number in range(1, count):
        (images / f"{number}.jpg").hardlink_to(images / "0.jpg")


def measure(body: str, path: Path, images: Path) -> tuple[float, float]:
    """CPU seconds, and the growth of peak memory [MB], of one reader in a process of its own."""
    program = FRAME.format(body=body)
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program, str(path), str(images)],
        capture_output=True,
        check=True,
        text=True,
    )
    seconds, megabytes = json.loads(ran.stdout.splitlines()[-1])
    return seconds, megabytes


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--annotations", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--alone", action="store_true", help="measure this project only")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path, images = Path(folder) / "coco.json", Path(folder) / "images"
        write_dataset(path, arguments.annotations)
        if not arguments.alone:
            write_pictures(images, arguments.annotations // PER_IMAGE)
        readers = OURS if arguments.alone else OURS | OTHERS
        rows: dict[str, list[tuple[float, float]]] = {name: [] for name in readers}
        for _ in range(arguments.rounds):
            for name, body in readers.items():
                rows[name].append(measure(body, path, images))
        print(f"{arguments.annotations} annotations, {path.stat().st_size / 1e6:.0f} MB of JSON\n")
    print("| reader | CPU s | peak memory MB |\n|---|---|---|")
    for name, results in rows.items():
        seconds, megabytes = (statistics.median(values) for values in zip(*results, strict=True))
        print(f"| {name} | {seconds:.1f} | {megabytes:.0f} |")


if __name__ == "__main__":
    main()
