"""A file of 30,000 annotations is read, counted and written within little memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from clickmask.decoder.formats.coco import to_coco_annotation
from clickmask.decoder.formats.json_writer import JsonArrays
from tests.decoder.formats.samples import SIZE, ring_with_island

ANNOTATIONS = 30_000
PER_IMAGE = 10
PROGRAM = """
import sys
from pathlib import Path
from clickmask.decoder.formats.coco import read_coco, write_coco
from clickmask.decoder.formats.options import WriteOptions
from tests.peak import peak_kib

before = peak_kib()
dataset = read_coco(Path(sys.argv[1]))
write_coco(dataset, Path(sys.argv[2]), WriteOptions(encoding="rle"))
print((peak_kib() - before) / 1024)
"""


def test_thirty_thousand_annotations_pass_through_in_little_memory(tmp_path: Path) -> None:
    source, target = tmp_path / "in.json", tmp_path / "out.json"
    _write_large(source)
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(source), str(target)], capture_output=True, check=True, text=True
    )
    assert source.stat().st_size > 18e6  # read as one document this takes more than 100 MB
    assert float(ran.stdout) < 40
    assert target.read_text().count('"image_id"') == ANNOTATIONS


def _write_large(path: Path) -> None:
    annotation = to_coco_annotation(ring_with_island(), annotation_id=0, image_id=0, category_id=1)
    with JsonArrays(path, ("images", "annotations", "categories"), {}) as arrays:
        arrays.append("categories", {"id": 1, "name": "ring"})
        for number in range(ANNOTATIONS):
            arrays.append("annotations", annotation | {"id": number, "image_id": number // PER_IMAGE})
        for number in range(ANNOTATIONS // PER_IMAGE):
            name = f"{number}.jpg"
            arrays.append("images", {"id": number, "file_name": name, "height": SIZE.height, "width": SIZE.width})
