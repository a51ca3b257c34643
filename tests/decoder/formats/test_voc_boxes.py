"""Pascal VOC's XML of boxes, as tools write it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from clickmask.decoder.errors import DatasetError
from clickmask.decoder.formats.options import ReadOptions
from clickmask.decoder.formats.records import Dataset
from clickmask.decoder.formats.voc_boxes.dataset import read_voc_boxes, write_voc_boxes
from clickmask.decoder.shapes import rle_area
from tests.decoder.formats.samples import sample_dataset, write_pictures

OBJECT = """<object><name>car</name><pose>Unspecified</pose><truncated>1</truncated><difficult>0</difficult>
<bndbox><xmin>2.5</xmin><ymin>1</ymin><xmax>6.5</xmax><ymax>4</ymax></bndbox>
<part><name>wheel</name><bndbox/></part><color>red</color></object>"""


def voc(folder: Path, objects: str, head: str = "<filename>a.jpg</filename>", size: str = "20 10") -> Path:
    width, height = size.split()
    path = folder / "Annotations" / "day" / "a.xml"
    path.parent.mkdir(parents=True)
    size = f"<size><width>{width}</width><height>{height}</height><depth>3</depth></size>"
    path.write_text(f"<annotation><folder>x</folder>{head}<path>C:\\x\\a.jpg</path>{size}{objects}</annotation>")
    return path


def told(folder: Path, images: Path | None = None) -> tuple[Dataset, list[str], list[str]]:
    problems: list[str] = []
    lost: list[str] = []
    options = ReadOptions(
        images=images,
        on_problem=lambda problem: problems.append(str(problem).rpartition("a.xml: ")[2]),
        on_loss=lambda what, _where: lost.append(what),
    )
    return read_voc_boxes(folder, options), problems, lost


def test_boxes_and_what_else_an_object_says(tmp_path: Path) -> None:
    voc(tmp_path, OBJECT)
    dataset, problems, lost = told(tmp_path)
    ((image, (item,)),) = ((one.image, one.objects) for one in dataset.images)
    assert image.file_name == "day/a.jpg"
    assert (item.box, item.is_box, item.extras) == ((2.5, 1.0, 4.0, 3.0), True, {"truncated": 1, "color": "red"})
    assert (problems, lost) == ([], ["fields of objects (part)"])


def test_a_size_of_zero_is_the_pictures(tmp_path: Path) -> None:
    voc(tmp_path, OBJECT, "<filename>b</filename>", "0 0")
    write_pictures(sample_dataset(), tmp_path / "pictures")
    (tmp_path / "pictures" / "day 1" / "b.png").rename(tmp_path / "pictures" / "b.jpg")
    (image,) = told(tmp_path, tmp_path / "pictures")[0].images
    assert (image.image.file_name, image.image.size.width) == ("day/b.jpg", 131)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("<name>car</name>", "", "object 0: has no name, wanted both"),
        ("<xmin>2.5</xmin>", "<xmin>?</xmin>", "object 0: xmin is '?', wanted a number"),
        (
            "<xmax>6.5</xmax>",
            "<xmax>1</xmax>",
            "bbox [2.5, 1.0, -1.5, 3.0] is empty",
        ),
    ],
)
def test_broken_objects_are_reported(old: str, new: str, message: str, tmp_path: Path) -> None:
    voc(tmp_path, OBJECT.replace(old, new))
    dataset, problems, _ = told(tmp_path)
    assert [problem.split(", wanted a positive")[0] for problem in problems] == [message]
    assert [image.objects for image in dataset.images] == [()]


def test_masks_become_the_boxes_around_them(tmp_path: Path) -> None:
    dataset = sample_dataset()
    write_voc_boxes(dataset, tmp_path)
    found = [item.box for image in read_voc_boxes(tmp_path).images for item in image.objects]
    assert found[:3] == [(10.0, 10.0, 41.0, 41.0), (77.0, 5.0, 49.0, 56.0), (130.0, 96.0, 1.0, 1.0)]
    assert all(rle_area(item.rle) for image in read_voc_boxes(tmp_path).images for item in image.objects)


def test_a_folder_without_files_holds_nothing_and_one_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert read_voc_boxes(tmp_path).image_count == 0
    with pytest.raises(DatasetError, match="there is no such file or folder"):
        read_voc_boxes(tmp_path / "missing")


def test_fields_that_xml_cannot_hold_cost_one_object(tmp_path: Path) -> None:
    first, *_ = sample_dataset().images
    odd = replace(first, objects=(replace(first.objects[0], extras={"note": "\x01"}), first.objects[1]))
    with pytest.raises(DatasetError, match=r"image a\.png: object 100: the field note with .* holds characters"):
        write_voc_boxes(replace(sample_dataset(), images=[odd], image_count=1), tmp_path)
