"""QuPath's GeoJSON of several versions, and geometries that are valid elsewhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clickmask.decoder.errors import DatasetError
from clickmask.decoder.formats.options import ReadOptions, WriteOptions
from clickmask.decoder.formats.qupath.dataset import read_qupath, write_qupath
from clickmask.decoder.formats.qupath.geometry import mask_geometry
from clickmask.decoder.formats.records import Dataset
from clickmask.decoder.shapes import mask_to_rle, rle_area
from tests.decoder.formats.samples import ragged_blob, sample_dataset, write_pictures

SQUARE = [[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]]
HOLE = [[2, 2], [2, 6], [6, 6], [6, 2], [2, 2]]


def feature(coordinates: Any, kind: str = "Polygon", **properties: Any) -> dict[str, Any]:
    geometry = {"type": kind, "coordinates": coordinates}
    return {"type": "Feature", "id": "1-2-3", "geometry": geometry, "properties": properties}


def qupath(folder: Path, content: Any) -> tuple[Dataset, list[str], list[str]]:
    pictures = write_pictures(sample_dataset(), folder / "pictures")
    path = folder / "in" / "b.geojson"
    path.parent.mkdir()
    path.write_text(json.dumps(content))
    problems: list[str] = []
    others: list[str] = []
    options = ReadOptions(
        images=pictures / "day 1",
        on_problem=lambda problem: problems.append(str(problem).removeprefix(f"{path}: ")),
        on_loss=lambda what, _where: others.append(what),
        on_note=lambda what, _where: others.append(what),
    )
    return read_qupath(folder / "in", options), problems, others


@pytest.mark.parametrize("wrap", [lambda f: {"type": "FeatureCollection", "features": [f]}, lambda f: [f], lambda f: f])
def test_a_collection_a_list_and_one_feature(wrap: Any, tmp_path: Path) -> None:
    tumor = {"name": "Tumor", "color": [200, 0, 0]}
    known = feature([SQUARE, HOLE], objectType="annotation", classification=tumor, isLocked=True, measurements={"n": 1})
    dataset, problems, others = qupath(tmp_path, wrap(known))
    ((image, (item,)),) = ((one.image, one.objects) for one in dataset.images)
    assert image.file_name == "b.png"
    assert (dataset.category_names[item.category_id], rle_area(item.rle)) == ("Tumor", 100 - 16)
    assert item.extras == {
        "feature_id": "1-2-3",
        "isLocked": True,
        "classification": {"color": [200, 0, 0]},
        "measurements": {"n": 1},
    }
    assert (problems, others) == ([], ["points of polygons with holes, which become pixels"])


def test_what_older_versions_and_other_objects_have(tmp_path: Path) -> None:
    scores = [{"name": "score", "value": 0.5}, {"name": "Area", "value": 3.0}]
    cell = feature([SQUARE], objectType="cell", measurements=scores) | {"nucleusGeometry": {"type": "Polygon"}}
    plane = feature([[SQUARE], [HOLE]], "MultiPolygon")
    plane["geometry"]["plane"] = {"c": -1, "z": 1, "t": 0}
    dataset, problems, others = qupath(tmp_path, [cell, plane, feature([1, 2], "Point"), feature([[[1, 1], [2, 2]]])])
    first, second = next(iter(dataset.images)).objects
    assert (first.score, first.extras["measurements"], first.extras["objectType"]) == (0.5, {"Area": 3.0}, "cell")
    assert len(second.rings) == 2
    assert others == ["nuclei of cells", "objects of other planes of a stack"]
    assert [problem[:40] for problem in problems] == [
        "feature 2: is a 'Point', which has no ar",
        "feature 3: polygon 0 has 4 numbers, want",
    ]


def test_a_file_whose_picture_is_not_there_is_refused(tmp_path: Path) -> None:
    (tmp_path / "slide.geojson").write_text("[]")
    with pytest.raises(DatasetError, match="does not say how large its picture is, wanted a picture named slide"):
        read_qupath(tmp_path)


def test_an_outline_never_touches_itself_and_holes_lie_inside() -> None:
    """QuPath's geometry library refuses rings that pass a point twice."""
    mask = ragged_blob()
    geometry = mask_geometry(mask_to_rle(mask))
    area = 0.0
    for outline, *holes in geometry["coordinates"]:
        for ring, sign in [(outline, 1), *((hole, -1) for hole in holes)]:
            points = [tuple(point) for point in ring[:-1]]
            assert ring[0] == ring[-1]
            assert len(set(points)) == len(points)
            x, y = np.array(ring).T
            area += sign * abs(float(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1]))) / 2
    assert area == mask.sum()


def test_wishes_for_fewer_points_are_told_to_have_no_effect(tmp_path: Path) -> None:
    notes: list[str] = []
    write_qupath(sample_dataset(), tmp_path, WriteOptions(min_iou=0.9, on_note=lambda what, _where: notes.append(what)))
    assert notes == ["wishes for fewer points, which GeoJSON is not written with"]
