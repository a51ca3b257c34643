"""Files as other tools write them, in their layout: each of these once gave a wrong dataset without a word."""

from __future__ import annotations

import argparse
import gzip
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from clickmask.decoder.commands.convert import add_arguments, run
from clickmask.decoder.errors import ClickMaskError, DatasetError
from clickmask.decoder.formats.coco import read_coco
from clickmask.decoder.formats.options import ReadOptions
from clickmask.decoder.formats.png.dataset import read_png_masks
from clickmask.decoder.formats.records import Dataset
from clickmask.decoder.formats.registry import FORMATS
from clickmask.decoder.formats.voc.dataset import read_voc
from clickmask.decoder.formats.yolo.dataset import labels_path, read_yolo
from clickmask.decoder.shapes import rle_area

SQUARE = [10, 10, 30, 10, 30, 25, 10, 25]
WIDTH, HEIGHT = 64, 48


def convert(*arguments: object) -> int:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return run(parser.parse_args([str(argument) for argument in arguments]))


def coco(path: Path, *names: str, **annotation: Any) -> Path:
    """A COCO file with one object on every picture, and the pictures beside it."""
    images = [{"id": number, "file_name": name, "width": WIDTH, "height": HEIGHT} for number, name in enumerate(names)]
    one = {"category_id": 0, "segmentation": [SQUARE], "bbox": [10, 10, 20, 15], "area": 300, "iscrowd": 0}
    annotations = [{"id": number, "image_id": number} | one | annotation for number in range(len(names))]
    content = {"images": images, "categories": [{"id": 0, "name": "car"}], "annotations": annotations}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    for name in names:
        picture(path.parent / name)
    return path


def picture(path: Path, orientation: int = 1) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.new("RGB", (WIDTH, HEIGHT))
    exif = image.getexif()
    exif[0x0112] = orientation
    image.save(path, exif=exif)
    return path


def objects(dataset: Dataset) -> list[tuple[str, str, int]]:
    """File name, category and area of everything."""
    names = dataset.category_names
    return [
        (image.image.file_name, names[item.category_id], rle_area(item.rle))
        for image in dataset.images
        for item in image.objects
    ]


# ---- YOLO -----------------------------------------------------------------------------------------------------------


def test_trainers_find_the_labels_of_pictures_in_folders_called_images(tmp_path: Path) -> None:
    """Label Studio's COCO export names ``images/a.jpg``: 0 of 6 label files were found, and 6 images told."""
    source = coco(tmp_path / "in" / "result.json", "images/p1.jpg", "train/images/p1.jpg")
    assert convert("--from", "coco", "--to", "yolo", "--images", source.parent, source, tmp_path / "out") == 0
    pictures = sorted((tmp_path / "out").rglob("*.jpg"))
    assert [one.relative_to(tmp_path / "out").as_posix() for one in pictures] == [
        "images/p1.jpg",
        "images/train/p1.jpg",
    ]
    assert all(labels_path(one).read_text() for one in pictures)
    assert objects(read_yolo(tmp_path / "out")) == [("p1.jpg", "car", 300), ("train/p1.jpg", "car", 300)]


def test_a_split_is_one_dataset_that_can_be_trained(tmp_path: Path) -> None:
    """Each part had a data.yaml of its own, and validated on its own training pictures."""
    source = coco(tmp_path / "in" / "a.json", *(f"{number}.jpg" for number in range(4)))
    split = ("--split", "train=0.5,val=0.5", "--images", source.parent)
    assert convert("--from", "coco", "--to", "yolo", *split, source, tmp_path / "out") == 0
    assert [path.name for path in tmp_path.rglob("data.yaml")] == ["data.yaml"]
    assert (tmp_path / "out" / "data.yaml").read_text().startswith("train: images/train\nval: images/val\n")
    train = list((tmp_path / "out" / "images" / "train").iterdir())
    val = list((tmp_path / "out" / "images" / "val").iterdir())
    assert (len(train), len(val), len(objects(read_yolo(tmp_path / "out")))) == (2, 2, 4)


@pytest.mark.parametrize(
    "yaml",
    [
        "train: ../train/images\nval: ../valid/images\ntest: ../test/images\nnc: 1\nnames: ['car']\nroboflow: {a: b}\n",
        "path: /content/datasets/cars\ntrain: train/images\nnames: {'0': car}\n",
        "train: C:\\Users\\me\\cars\\train\\images\nnames: [car]\n",
        "path: ../datasets/cars\ntrain: train/images\nnames: {0: car}\n",
    ],
)
def test_pictures_beside_the_yaml_are_found_whatever_it_says(yaml: str, tmp_path: Path) -> None:
    """Every Roboflow download was refused; a missing split is a line, not an end."""
    picture(tmp_path / "train" / "images" / "a.jpg")
    (tmp_path / "train" / "labels").mkdir()
    (tmp_path / "train" / "labels" / "a.txt").write_text("0 0.5 0.5 0.5 0.5\n")
    (tmp_path / "data.yaml").write_text(yaml)
    problems: list[ClickMaskError] = []
    dataset = read_yolo(tmp_path, ReadOptions(on_problem=problems.append))
    assert objects(dataset) == [("train/images/a.jpg", "car", 32 * 24)]
    assert len(problems) == (2 if "valid" in yaml else 0)


@pytest.mark.parametrize(
    ("names", "image", "labels"),
    [
        ("classes.txt", "images/a.jpg", "labels/a.txt"),
        ("classes.txt", "a.jpg", "a.txt"),
        ("obj.names", "obj_train_data/a.jpg", "obj_train_data/a.txt"),
    ],
)
def test_class_names_may_stand_in_a_text_file(names: str, image: str, labels: str, tmp_path: Path) -> None:
    """Label Studio's own export, labelImg, CVAT."""
    picture(tmp_path / image)
    (tmp_path / labels).parent.mkdir(exist_ok=True)
    (tmp_path / labels).write_text("1 0.5 0.5 0.5 0.5\n")
    (tmp_path / names).write_text("no\ncar\n")
    assert [row[1:] for row in objects(read_yolo(tmp_path))] == [("car", 32 * 24)]


def test_poses_are_boxes_with_keypoints_not_polygons(tmp_path: Path) -> None:
    picture(tmp_path / "images" / "a.jpg")
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "a.txt").write_text("0 0.5 0.5 0.5 0.5 0.25 0.5 2 0 0 0\n")
    (tmp_path / "data.yaml").write_text("train: images\nkpt_shape: [2, 3]\nnames: [person]\n")
    (image,) = read_yolo(tmp_path).images
    assert image.objects[0].box == (16.0, 12.0, 32.0, 24.0)
    assert image.objects[0].extras == {"keypoints": [16.0, 24.0, 2, 0.0, 0.0, 0], "num_keypoints": 1}


def test_pictures_outside_the_yamls_folder_keep_two_names(tmp_path: Path) -> None:
    for split in ("train", "val"):
        picture(tmp_path / "cars" / "images" / split / "0001.jpg")
    (tmp_path / "configs").mkdir()
    yaml = f"path: {tmp_path / 'cars'}\ntrain: images/train\nval: images/val\nnames: [car]\n"
    (tmp_path / "configs" / "cars.yaml").write_text(yaml)
    problems: list[ClickMaskError] = []
    dataset = read_yolo(tmp_path / "configs" / "cars.yaml", ReadOptions(on_problem=problems.append))
    assert [image.image.file_name for image in dataset.images] == ["train/0001.jpg", "val/0001.jpg"]
    assert "none of the 2 pictures has a label file" in str(problems[0])


# ---- fields, polygons and boxes -------------------------------------------------------------------------------------


def test_fields_that_only_other_tools_know_travel_along(tmp_path: Path) -> None:
    """--append destroyed the keypoints, skeletons, attributes and licences of the person's own file."""
    person: dict[str, Any] = {
        "info": {"year": 2017},
        "licenses": [{"id": 3, "name": "CC-BY"}],
        "type": "instances",
        "images": [
            {"id": 1, "file_name": "p.jpg", "width": 9, "height": 9, "license": 3, "coco_url": "http://x/p.jpg"}
        ],
        "categories": [{"id": 1, "name": "person", "keypoints": ["nose"], "skeleton": [[1, 1]]}],
        "annotations": [
            {
                "id": 4,
                "image_id": 1,
                "category_id": 1,
                "segmentation": [[1, 1, 5, 1, 5, 5.5]],
                "bbox": [1, 1, 4.25, 4],
                "area": 7.5,
                "iscrowd": 0,
                "keypoints": [2, 2, 2],
                "num_keypoints": 1,
                "attributes": {"occluded": True},
            },
            {
                "id": 5,
                "image_id": 1,
                "category_id": 1,
                "segmentation": [],
                "bbox": [1.71, 1.16, 3.76, 1.77],
                "area": 6.6552,
                "iscrowd": 0,
            },
        ],
    }
    (tmp_path / "out.json").write_text(json.dumps(person))
    other = coco(tmp_path / "in" / "b.json", "b.jpg")
    (tmp_path / "in" / "b.json").write_text(
        json.dumps(json.loads(other.read_text()) | {"licenses": [{"id": 3, "name": "MIT"}]})
    )
    assert convert("--from", "coco", "--to", "coco", "--append", other, tmp_path / "out.json") == 0
    after = json.loads((tmp_path / "out.json").read_text())
    assert after["images"][0] == person["images"][0]
    assert after["categories"][0] == person["categories"][0] | {"supercategory": ""}
    assert after["annotations"][:2] == person["annotations"]
    assert (after["info"], after["type"]) == (person["info"], "instances")
    assert after["licenses"] == [{"id": 3, "name": "CC-BY"}, {"id": 4, "name": "MIT"}]


def test_drawn_polygons_go_through_labelme_and_yolo_as_they_are(tmp_path: Path) -> None:
    """245 points came back as 3,985."""
    source = coco(tmp_path / "in" / "a.json", "a.jpg", segmentation=[[10.5, 10.25, 30.5, 12.5, 20.75, 25.5]])
    pictures = ("--images", source.parent)
    convert("--from", "coco", "--to", "labelme", *pictures, source, tmp_path / "lm")
    convert("--from", "labelme", "--to", "yolo", *pictures, tmp_path / "lm", tmp_path / "yolo")
    convert("--from", "yolo", "--to", "coco", tmp_path / "yolo", tmp_path / "back.json")
    (before,), (after,) = read_coco(source).images, read_coco(tmp_path / "back.json").images
    assert after.objects[0].rings == before.objects[0].rings
    assert after.objects[0].rle == before.objects[0].rle


def test_boxes_stay_boxes(tmp_path: Path) -> None:
    source = coco(tmp_path / "in" / "a.json", "a.jpg", segmentation=[], bbox=[10, 10, 20, 15])
    pictures = ("--images", source.parent)
    convert("--from", "coco", "--to", "yolo", *pictures, source, tmp_path / "yolo")
    assert (tmp_path / "yolo" / "labels" / "a.txt").read_text() == "0 0.3125 0.364583 0.3125 0.3125\n"
    convert("--from", "yolo", "--to", "labelme", tmp_path / "yolo", tmp_path / "lm")
    convert("--from", "labelme", "--to", "coco", tmp_path / "lm", tmp_path / "back.json")
    (image,) = read_coco(tmp_path / "back.json").images
    assert image.objects[0].is_box
    assert image.objects[0].box == (10.0, 10.0, 20.0, 15.0)


def test_what_a_format_does_not_hold_is_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = coco(tmp_path / "in" / "a.json", "a.jpg", "b.jpg", attributes={"occluded": True}, score=0.5)
    assert convert("--from", "coco", "--to", "voc", source, tmp_path / "voc") == 0
    told = capsys.readouterr().out.splitlines()
    assert "lost: 2 scores (the first: image a.jpg: object 0)" in told
    assert "lost: 2 fields of objects (attributes) (the first: image a.jpg: object 0)" in told


def test_what_is_passed_over_twice_is_told_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A split passes over a dataset to count, and YOLO looks for boxes first."""
    source = coco(tmp_path / "in" / "a.json", *(f"{number}.jpg" for number in range(4)), score=0.5)
    picture(tmp_path / "in" / "1.jpg", orientation=6)
    split = ("--split", "train=0.67,val=0.33", "--images", source.parent)
    assert convert("--from", "coco", "--to", "yolo", *split, source, tmp_path / "out") == 3
    told = capsys.readouterr().out.splitlines()
    assert [line.partition(" scores")[0] for line in told if "scores" in line] == ["lost: 3"]
    assert told[-1] == "left out: 1"
    assert told[1] == f"{tmp_path / 'out'}: 3 images, 3 objects, 1 categories"


def test_coco_ids_are_taken_as_people_write_them(tmp_path: Path) -> None:
    """Ids that start anew in every picture cost 770 of 815 objects, text ids all of them."""
    path = tmp_path / "a.json"
    part = {"segmentation": [[1, 1], [1, 1, 5, 1, 5, 5]], "iscrowd": "false", "category_id": "cat"}
    content = {
        "images": [{"id": "x1", "file_name": "a.jpg", "width": "9", "height": 9}],
        "categories": [{"id": "cat", "name": 7}],
        "annotations": [
            {"id": 1, "image_id": "x1", **part},
            {"id": 1, "image_id": "x1", **part},
            {"image_id": "x1", **part},
        ],
    }
    path.write_text(json.dumps(content), encoding="utf-16")
    notes: list[str] = []
    dataset = read_coco(path, ReadOptions(on_note=lambda what, _: notes.append(what)))
    assert [(item.id, len(item.rings)) for image in dataset.images for item in image.objects] == [
        (1, 1),
        (2, 1),
        (3, 1),
    ]
    assert dataset.categories[0].name == "7"
    assert notes == ["annotation ids that came more than once, numbered anew"]


def test_results_take_their_pictures_from_another_file(tmp_path: Path) -> None:
    source = coco(tmp_path / "in" / "a.json", "a.jpg")
    results = [{"image_id": 0, "category_id": 0, "segmentation": [SQUARE], "score": 0.25}]
    (tmp_path / "results.json").write_text(json.dumps(results))
    with pytest.raises(DatasetError, match="--annotations FILE"):
        read_coco(tmp_path / "results.json")
    dataset = read_coco(tmp_path / "results.json", ReadOptions(companion=source))
    assert [item.score for image in dataset.images for item in image.objects] == [0.25]


def test_a_file_of_sa_1b_is_read(tmp_path: Path) -> None:
    """Segment Anything's own: ``image`` instead of ``images``, no categories; it gave 0 images."""
    image = {"image_id": 223750, "width": 4, "height": 2, "file_name": "sa_223750.jpg"}
    mask = {"size": [2, 4], "counts": [2, 1, 5]}
    annotation = {"id": 53, "segmentation": mask, "bbox": [1, 0, 1, 1], "area": 1, "predicted_iou": 0.9}
    path = tmp_path / "sa_223750.json"
    path.write_text(json.dumps({"image": image, "annotations": [annotation]}))
    dataset = read_coco(path)
    assert objects(dataset) == [("sa_223750.jpg", "object", 1)]
    assert [item.extras for found in dataset.images for item in found.objects] == [{"predicted_iou": 0.9}]


def test_sizes_that_coco_does_not_state_come_from_the_pictures(tmp_path: Path) -> None:
    source = coco(tmp_path / "in" / "a.json", "a.jpg")
    source.write_text(source.read_text().replace(f'"width": {WIDTH}, "height": {HEIGHT}', '"license": 1'))
    with pytest.raises(DatasetError, match="states no width and height"):
        read_coco(source)
    assert objects(read_coco(source, ReadOptions(images=source.parent))) == [("a.jpg", "car", 300)]


# ---- pixels ---------------------------------------------------------------------------------------------------------


def save(path: Path, values: Any, dtype: Any) -> None:
    Image.fromarray(np.array(values, dtype)).save(path)


@pytest.mark.parametrize(("name", "dtype"), [("a.png", np.uint16), ("a.png", np.uint8), ("a.tif", np.int32)])
def test_a_picture_of_labels_has_an_object_per_value(name: str, dtype: Any, tmp_path: Path) -> None:
    """Twelve cells in 16 bit (Cellpose, KITTI, Cityscapes) became one object."""
    save(tmp_path / name, [[0, 1, 1, 2], [0, 3, 3, 2]], dtype)
    assert [area for _, _, area in objects(read_png_masks(tmp_path))] == [2, 2, 2]


def test_a_picture_of_colours_has_an_object_per_colour_and_a_photo_none(tmp_path: Path) -> None:
    save(tmp_path / "a.png", [[[0, 0, 0], [9, 0, 0], [0, 9, 0]]], np.uint8)
    save(tmp_path / "photo.png", np.random.default_rng(0).integers(0, 255, (40, 40, 3)), np.uint8)
    problems: list[ClickMaskError] = []
    dataset = read_png_masks(tmp_path, ReadOptions(on_problem=problems.append))
    assert [item.extras for image in dataset.images for item in image.objects] == [
        {"label_value": "#000900"},
        {"label_value": "#090000"},
    ]
    assert [str(problem).split(": ")[-1] for problem in problems] == [
        "it looks like a photo, wanted a picture of labels"
    ]


def test_soft_edges_make_no_objects_of_their_own(tmp_path: Path) -> None:
    save(tmp_path / "a.png", [[0, 60, 255, 255, 200, 0]], np.uint8)
    notes: list[str] = []
    dataset = read_png_masks(tmp_path, ReadOptions(on_note=lambda what, _: notes.append(what)))
    assert [area for _, _, area in objects(dataset)] == [3]
    assert notes == ["masks with soft edges, cut at half"]


def test_labelme2vocs_class_names_are_read(tmp_path: Path) -> None:
    """Its cars became aeroplanes: the file is called class_names.txt there."""
    (tmp_path / "SegmentationClass").mkdir()
    save(tmp_path / "SegmentationClass" / "a.png", [[0, 1], [2, 2]], np.uint8)
    notes: list[str] = []
    tell = ReadOptions(on_note=lambda what, _: notes.append(what))
    assert [row[1] for row in objects(read_voc(tmp_path, tell))] == ["aeroplane", "bicycle"]
    assert notes == ["class names that are guessed to be Pascal VOC's: there is no labelmap.txt"]
    (tmp_path / "class_names.txt").write_text("_background_\ncar\ntrack")
    assert [row[1:] for row in objects(read_voc(tmp_path))] == [("car", 1), ("track", 2)]


@pytest.mark.parametrize("name", ["voc", "mots"])
def test_small_objects_are_painted_over_large_ones(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """51 of 815 objects of COCO's own validation set were gone, and counted as written."""
    source = coco(tmp_path / "in" / "a.json", "a.jpg")
    content = json.loads(source.read_text())
    over = content["annotations"][0] | {"id": 5, "segmentation": [[0, 0, 40, 0, 40, 40, 0, 40]]}
    content["annotations"] += [over, over | {"id": 6, "segmentation": [[50, 5, 50.2, 5, 50.1, 5.2]]}]
    source.write_text(json.dumps(content))
    assert convert("--from", "coco", "--to", name, source, tmp_path / "out") == 3
    told = capsys.readouterr().out
    assert ": 1 images, 2 objects" in told
    assert "image a.jpg: object 6: has no pixel, wanted at least one pixel" in told
    assert sorted(row[2] for row in objects(FORMATS[name].read(tmp_path / "out", ReadOptions()))) == [300, 1300]


# ---- pictures and files ---------------------------------------------------------------------------------------------


def test_a_picture_that_its_exif_tag_turns_is_not_labeled_wrongly(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """COCO says 64x48, the picture is upright at 48x64: its labels were shifted."""
    source = coco(tmp_path / "in" / "a.json", "a.jpg", "b.jpg")
    picture(tmp_path / "in" / "a.jpg", orientation=6)
    assert convert("--from", "coco", "--to", "yolo", "--images", source.parent, source, tmp_path / "out") == 3
    told = capsys.readouterr().out
    assert "left out: image a.jpg: is annotated as 64x48, the picture is 48x64: it may be turned" in told
    assert objects(read_yolo(tmp_path / "out")) == [("b.jpg", "car", 300)]


def test_nothing_read_replaces_nothing(tmp_path: Path) -> None:
    """An empty folder and --overwrite made a good file an empty one, with exit status 0."""
    good = coco(tmp_path / "good.json", "a.jpg")
    before = good.read_text()
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError, match="holds no image that labelme can read"):
        convert("--from", "labelme", "--to", "coco", "--overwrite", tmp_path / "empty", good)
    assert good.read_text() == before


def test_a_dry_run_tells_and_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = coco(tmp_path / "in" / "a.json", "a.jpg", score=0.5)
    assert convert("--from", "coco", "--to", "voc", "--dry-run", source, tmp_path / "out") == 0
    told = capsys.readouterr().out
    assert f"{tmp_path / 'out'}: would hold 1 images, 1 objects, 1 categories" in told
    assert "lost: 1 scores" in told
    assert not (tmp_path / "out").exists()


def test_labelmes_newer_shapes_are_read(tmp_path: Path) -> None:
    """X-AnyLabeling's rectangles have four points; LabelMe 6 has turned ones; sizes may be missing."""
    corners = [[10, 10], [30, 10], [30, 25], [10, 25]]
    shapes = [
        {"label": "car", "points": corners, "shape_type": "rectangle", "score": 0.5, "attributes": {"old": True}},
        {"label": "car", "points": corners, "shape_type": "rotation", "direction": 0.1},
        {"label": "car", "points": corners, "shape_type": "oriented_rectangle", "flags": {}},
    ]
    picture(tmp_path / "in" / "a.jpg")
    (tmp_path / "a.json").write_text(json.dumps({"shapes": shapes, "imagePath": "a.jpg", "flags": {"good": True}}))
    (image,) = FORMATS["labelme"].read(tmp_path / "a.json", ReadOptions(images=tmp_path / "in")).images
    assert [(item.is_box, len(item.rings), rle_area(item.rle)) for item in image.objects] == [
        (True, 0, 300),
        (False, 1, 300),
        (False, 1, 300),
    ]
    assert [item.extras for item in image.objects] == [{"attributes": {"old": True}}, {"direction": 0.1}, {}]
    assert (image.objects[0].score, image.image.extras) == (0.5, {"flags": {"good": True}})


def test_categories_of_one_name_stay_apart(tmp_path: Path) -> None:
    source = coco(tmp_path / "a.json", "a.jpg")
    content = json.loads(source.read_text())
    content["categories"] = [{"id": 0, "name": "car"}, {"id": 1, "name": "car", "supercategory": "car"}]
    source.write_text(json.dumps(content))
    assert convert("--from", "coco", "--to", "coco", source, source, tmp_path / "out.json") == 0
    assert [category.id for category in read_coco(tmp_path / "out.json").categories] == [0, 1]


def test_packed_files_are_read(tmp_path: Path) -> None:
    """CVAT, Roboflow and Label Studio send .zip, others .json.gz; some folders hold one JSON file."""
    source = coco(tmp_path / "in" / "a.json", "a.jpg")
    packed = tmp_path / "a.json.gz"
    packed.write_bytes(gzip.compress(source.read_bytes()))
    archive = shutil.make_archive(str(tmp_path / "all"), "zip", tmp_path / "in")
    for number, path in enumerate((packed, archive, tmp_path / "in")):
        assert convert("--from", "coco", "--to", "coco", path, tmp_path / f"{number}.json") == 0
        assert objects(read_coco(tmp_path / f"{number}.json")) == [("a.jpg", "car", 300)]
    (tmp_path / "in" / "b.json").write_text("{}")
    with pytest.raises(DatasetError, match=r"the JSON files: a\.json, b\.json; wanted one"):
        convert("--from", "coco", "--to", "coco", tmp_path / "in", tmp_path / "no.json")
    (tmp_path / "broken.zip").write_bytes(b"PK")
    with pytest.raises(DatasetError, match="cannot be unpacked"):
        convert("--from", "coco", "--to", "coco", tmp_path / "broken.zip", tmp_path / "no.json")


def test_an_error_says_what_the_file_seems_to_be(tmp_path: Path) -> None:
    source = coco(tmp_path / "a.json", "a.jpg")
    with pytest.raises(DatasetError, match="it looks like coco: use --from coco"):
        convert("--from", "label-studio", "--to", "coco", source, tmp_path / "out.json")
    source.write_text('{"images": [], "annotations": [{"segments_info": []}]}')
    with pytest.raises(DatasetError, match="it looks like coco-panoptic: use --from coco-panoptic"):
        convert("--from", "coco", "--to", "coco", "--lenient", source, tmp_path / "out.json")
