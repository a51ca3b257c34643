"""CVAT XML 1.1 as CVAT writes it, and what the writers do at the edges."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from clickmask.decoder.errors import ClickMaskError, DatasetError
from clickmask.decoder.formats.cvat.images import write_cvat
from clickmask.decoder.formats.cvat.reader import read_cvat
from clickmask.decoder.formats.cvat.video import write_cvat_video
from clickmask.decoder.formats.options import ReadOptions, WriteOptions
from clickmask.decoder.formats.records import Dataset
from clickmask.decoder.prompts import Size
from clickmask.decoder.shapes import rle_area, rle_to_mask
from tests.decoder.formats.samples import sample_dataset, sample_video
from tests.decoder.formats.told import read_told

LABELS = """<labels>
  <label><name>car</name><color>#fa3253</color><type>any</type><attributes>
    <attribute><name>parked</name><mutable>False</mutable><input_type>checkbox</input_type><values>true</values></attribute>
    <attribute><name>seats</name><mutable>False</mutable><input_type>number</input_type><values>1;9;1</values></attribute>
    <attribute><name>brand</name><mutable>True</mutable><input_type>select</input_type><values>a&#10;b</values></attribute>
  </attributes></label>
  <label><name>unused</name><attributes></attributes></label>
</labels>"""


def cvat(folder: Path, body: str, task: str = "") -> Path:
    path = folder / "annotations.xml"
    meta = f"<meta><task><id>5</id><name>my task</name>{task}{LABELS}</task><dumped>2026-01-01</dumped></meta>"
    path.write_text(
        f'<?xml version="1.0" encoding="utf-8"?>\n<annotations><version>1.1</version>{meta}{body}</annotations>'
    )
    return path


def told(path: Path) -> tuple[Dataset, list[str], list[str]]:
    """The data set, and the problems, losses and notes."""
    problems: list[str] = []
    others: list[str] = []
    options = ReadOptions(
        on_problem=lambda problem: problems.append(str(problem).removeprefix(f"{path}: ")),
        on_loss=lambda what, _where: others.append(f"lost: {what}"),
        on_note=lambda what, _where: others.append(f"note: {what}"),
    )
    return read_cvat(path, options), problems, others


SHAPES = """<image id="0" name="day/a.jpg" width="20" height="10">
  <box label="car" source="manual" occluded="1" xtl="2.00" ytl="1.00" xbr="6.00" ybr="4.00" z_order="3">
    <attribute name="parked">true</attribute><attribute name="seats">4</attribute><attribute name="brand">7</attribute>
  </box>
  <box label="car" source="auto" occluded="0" xtl="4" ytl="4" xbr="8" ybr="6" z_order="0" rotation="90.0"></box>
  <polygon label="car" source="manual" occluded="0" points="10.00,1.00;14.00,1.00;14.00,5.00" z_order="0" group_id="2">
  </polygon>
  <mask label="car" source="semi-auto" occluded="0" rle="1, 2, 2, 1" left="15" top="6" width="3" height="2" z_order="1">
  </mask>
  <ellipse label="car" source="file" occluded="0" cx="5" cy="5" rx="3" ry="2" z_order="0"></ellipse>
  <polyline label="car" source="manual" occluded="0" points="1,1;2,2" z_order="0"></polyline>
  <points label="car" source="manual" occluded="0" points="1,1" z_order="0"></points>
  <tag label="car" source="manual"></tag>
</image>
<image id="1" name="empty.jpg" width="20" height="10"></image>"""


def test_the_shapes_of_images(tmp_path: Path) -> None:
    dataset, problems, others = told(cvat(tmp_path, SHAPES))
    first, empty = dataset.images
    assert [category.name for category in dataset.categories] == ["car", "unused"]
    assert (first.image.file_name, first.image.size, empty.objects) == ("day/a.jpg", Size(10, 20), ())
    turned, polygon, ellipse, mask, box = first.objects  # the highest z_order last
    assert (box.box, box.is_box, box.extras) == (
        (2.0, 1.0, 4.0, 3.0),
        True,
        {"occluded": True, "parked": True, "seats": 4, "brand": "7"},
    )
    assert np.argwhere(rle_to_mask(mask.rle)).tolist() == [[6, 16], [6, 17], [7, 17]]
    assert mask.extras == {"source": "semi-auto"}
    assert (polygon.rings, polygon.extras) == (((10.0, 1.0, 14.0, 1.0, 14.0, 5.0),), {"group_id": 2})
    assert np.round(turned.rings[0]).tolist() == [7, 3, 7, 7, 5, 7, 5, 3]  # stands upright now
    assert rle_area(ellipse.rle) > 12
    assert problems == [
        "image 0 (day/a.jpg): polyline 5: is a polyline, which has no area, wanted box, polygon, ellipse, mask",
        "image 0 (day/a.jpg): points 6: is a points, which has no area, wanted box, polygon, ellipse, mask",
    ]
    assert others == ["lost: tags of images"]


VIDEO = """<source>trip.mp4</source><start_frame>0</start_frame><stop_frame>9</stop_frame>
<original_size><width>20</width><height>10</height></original_size>"""
TRACKS = """<track id="0" label="car" source="manual">
  <box frame="2" keyframe="1" outside="0" occluded="0" xtl="2" ytl="1" xbr="6" ybr="4" z_order="0">
    <attribute name="seats">4</attribute></box>
  <box frame="4" keyframe="1" outside="0" occluded="1" xtl="4" ytl="3" xbr="8" ybr="6" z_order="0"></box>
  <box frame="5" keyframe="1" outside="1" occluded="0" xtl="4" ytl="3" xbr="8" ybr="6" z_order="0"></box>
</track>
<track id="7" label="car" source="manual">
  <mask frame="2" keyframe="1" outside="0" occluded="0" rle="0, 6" left="0" top="0" width="3" height="2" z_order="1">
  </mask>
  <mask frame="3" keyframe="1" outside="1" occluded="0" rle="0, 6" left="0" top="0" width="3" height="2" z_order="1">
  </mask>
</track>"""


def test_the_tracks_of_a_video_and_what_lies_between_its_keyframes(tmp_path: Path) -> None:
    dataset, problems, others = told(cvat(tmp_path, TRACKS, VIDEO))
    rows = [
        (image.image.file_name, image.image.video, image.image.frame, item.track_id, item.box)
        for image in dataset.images
        for item in image.objects
    ]
    assert rows == [
        ("trip/frame_000002.png", "trip", 2, 0, (2.0, 1.0, 4.0, 3.0)),
        ("trip/frame_000002.png", "trip", 2, 7, None),
        ("trip/frame_000003.png", "trip", 3, 0, (3.0, 2.0, 4.0, 3.0)),
        ("trip/frame_000004.png", "trip", 4, 0, (4.0, 3.0, 4.0, 3.0)),
    ]
    assert problems == []
    assert others == ["note: frames between the keyframes of boxes, which were filled in"]


def test_a_video_without_its_size_is_refused(tmp_path: Path) -> None:
    _, problems, _ = told(cvat(tmp_path, TRACKS, "<source>trip.mp4</source>"))
    assert problems[0] == "track 0: the file does not say how large the frames are, wanted <original_size>"


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ('<box label="car" xtl="1" ytl="1" xbr="x" ybr="2"/>', "xbr is 'x', wanted a number"),
        ('<box label="car" xtl="1" ytl="1" xbr="1" ybr="2"/>', "bbox [1.0, 1.0, 0.0, 1.0] is empty"),
        ('<box xtl="1" ytl="1" xbr="3" ybr="2"/>', "has no label"),
        ('<polygon label="car" points="1,1;2"/>', "points are '1,1;2', wanted x,y;x,y;..."),
        (
            '<mask label="car" rle="1,2" left="0" top="0" width="3" height="2"/>',
            "the runs add up to 3 pixels",
        ),
        (
            '<mask label="car" rle="0,6" left="19" top="0" width="3" height="2"/>',
            "covers 3x2 pixels from (19, 0)",
        ),
        ('<mask label="car" rle="a" left="0" top="0" width="3" height="2"/>', "rle is 'a', wanted whole numbers"),
    ],
)
def test_broken_shapes_are_reported(shape: str, message: str, tmp_path: Path) -> None:
    dataset, problems, _ = told(cvat(tmp_path, f'<image id="0" name="a.jpg" width="20" height="10">{shape}</image>'))
    assert message in problems[0]
    assert [image.objects for image in dataset.images] == [()]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<annotations>", "is not XML that can be read"),
        ("<other/>", "is XML of <other>, wanted <annotations>"),
        ("<annotations/>", "holds no image and no track"),
        ('<!DOCTYPE a [<!ENTITY x "y">]><annotations>&x;</annotations>', "is not XML that can be read: DTDForbidden"),
    ],
)
def test_other_files_are_refused(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(text)
    with pytest.raises(DatasetError, match=message):
        read_cvat(tmp_path / "a.xml")


def test_fields_come_back_as_what_they_were_and_others_are_told(tmp_path: Path) -> None:
    first, *_ = sample_dataset().images
    fields = {
        "occluded": True,
        "name": "A & B",
        "weight": 1.5,
        "ripe": False,
        "attributes": {"age": 3},
        "keypoints": [1],
    }
    image = replace(first, objects=(replace(first.objects[0], extras=fields),))
    lost: list[str] = []
    options = WriteOptions(on_loss=lambda what, _where: lost.append(what))
    write_cvat(replace(sample_dataset(), images=[image], image_count=1), tmp_path / "out.xml", options)
    ((item,),) = (back.objects for back in read_cvat(tmp_path / "out.xml").images)
    assert item.extras == {"occluded": True, "name": "A & B", "weight": 1.5, "ripe": False, "age": 3}
    assert lost == ["fields of objects that are no single value (keypoints)"]


def test_what_xml_cannot_hold_costs_one_image_and_is_told(tmp_path: Path) -> None:
    first, *others = sample_dataset().images
    odd = replace(first, image=replace(first.image, file_name="a\x00.png"))
    problems: list[ClickMaskError] = []
    dataset = replace(sample_dataset(), images=[odd, *others])
    write_cvat(dataset, tmp_path / "out.xml", WriteOptions(on_problem=problems.append))
    assert "holds characters that XML cannot" in str(problems[0])
    assert read_cvat(tmp_path / "out.xml").image_count == 2


def test_a_mask_that_is_simplified_becomes_polygons(tmp_path: Path) -> None:
    lost: list[str] = []
    options = WriteOptions(min_iou=0.9, on_loss=lambda what, _where: lost.append(what))
    write_cvat(sample_dataset(), tmp_path / "out.xml", options)
    text = (tmp_path / "out.xml").read_text()
    assert "<mask" not in text
    assert text.count("<polygon") > 5
    assert set(lost) == {"parts of objects, which become objects"}


def test_a_track_that_leaves_its_video_says_so(tmp_path: Path) -> None:
    write_cvat_video(sample_video(), tmp_path / "out")
    text = (tmp_path / "out" / "left.xml").read_text()
    assert text.count('outside="1"') == 1
    assert text.count("<track") == 2
    dataset, problems = read_told(read_cvat, tmp_path / "out")
    assert problems == []
    assert dataset.image_count == 6


def test_a_download_of_cvat_is_read_as_it_comes(tmp_path: Path) -> None:
    from tests.decoder.formats.test_command import convert

    (tmp_path / "in" / "images").mkdir(parents=True)
    cvat(tmp_path / "in", SHAPES.split("<polyline")[0] + "</image>")
    archive = shutil.make_archive(str(tmp_path / "task"), "zip", tmp_path / "in")
    assert convert("--from", "cvat", "--to", "coco", archive, tmp_path / "out.json") == 0
