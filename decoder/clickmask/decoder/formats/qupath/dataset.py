"""GeoJSON as QuPath writes it: a file per picture, a feature per object, coordinates in pixels."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from clickmask.decoder.errors import ClickMaskError, DatasetError, ShapeError
from clickmask.decoder.formats.builder import UNLABELED, DatasetBuilder
from clickmask.decoder.formats.fields import (
    Fields,
    array,
    as_fields,
    is_plain,
    other_fields,
    side,
    text,
    with_fields,
)
from clickmask.decoder.formats.json_reader import read_json
from clickmask.decoder.formats.json_writer import compact_json
from clickmask.decoder.formats.options import ReadOptions, WriteOptions, write_each
from clickmask.decoder.formats.output import claim, inside, make_folder, write_whole
from clickmask.decoder.formats.pictures import list_pictures, picture_size
from clickmask.decoder.formats.qupath.geometry import fill_polygons, mask_geometry, read_geometry, ring_geometry
from clickmask.decoder.formats.records import AnnotatedImage, Dataset, ObjectRecord
from clickmask.decoder.prompts import Size
from clickmask.decoder.shapes import mask_to_rle, polygons_to_mask

SUFFIXES = frozenset({".geojson", ".json"})
_SCORE = "score"  # the measurement that is an object's confidence
_KNOWN = frozenset({"classification", "measurements", "objectType"})


def read_qupath(path: Path, options: ReadOptions | None = None) -> Dataset:
    """Read QuPath's GeoJSON: a collection of features, a list of them, or one.

    A file that was not written here says neither its picture's name nor its size: the picture is the one
    in ``images`` that is named like the file.

    Args:
        path: A file, or a folder with any number of them.
        options: ``images`` gives the pictures. ``on_problem`` receives files and features that were left
            out, such as points and lines, ``on_loss`` nuclei and what else has no place.

    Raises:
        DatasetError: If there is no such file or folder.
    """
    options = options or ReadOptions()
    if not path.exists():
        raise DatasetError(f"{path}: there is no such file or folder, wanted GeoJSON")
    root = path if path.is_dir() else path.parent
    files = [file for file in sorted(path.rglob("*")) if file.suffix in SUFFIXES] if path.is_dir() else [path]
    photos = {} if options.images is None else _photos(options.images)
    builder = DatasetBuilder()
    for file in options.progress(files, "files"):
        try:
            _read_file(file, root, photos, builder, options)
        except ClickMaskError as problem:
            options.on_problem(problem)
    return builder.dataset()


def write_qupath(dataset: Dataset, path: Path, options: WriteOptions | None = None) -> None:
    """Write a GeoJSON file per image, for QuPath's "Import objects" and scripts.

    Masks become their exact outlines along the pixels' edges, holes and all; drawn polygons stay as
    they are. The picture's name and size stand beside the features, where QuPath does not look.
    Lost: ids, ``is_crowd``, tracks, fields of images, boxes (which become polygons).

    Args:
        dataset: Its images are passed over once.
        path: The folder to write into.
        options: ``on_problem`` receives images and objects that cannot be written, ``on_note`` that no
            points are saved: polygons with holes are only written whole.

    Raises:
        DatasetError: If the folder cannot be made.
    """
    options = options or WriteOptions()
    make_folder(path)
    if not options.keeps_drawn:
        options.on_note("wishes for fewer points, which GeoJSON is not written with", str(path))
    taken: dict[Path, str] = {}
    for annotated in dataset.images:
        name = annotated.image.file_name
        try:
            target = inside(path, name, ".geojson")
            claim(target, name, taken)
            _write_file(annotated, target, dataset.category_names, options)
        except ClickMaskError as problem:
            options.on_problem(problem)


def _read_file(
    file: Path, root: Path, photos: Mapping[str, Path], builder: DatasetBuilder, options: ReadOptions
) -> None:
    content = read_json(file)
    fields: Fields = content if isinstance(content, dict) else {"features": content}
    features = [fields] if fields.get("type") == "Feature" else array(fields, "features", str(file))
    name, size = _picture(fields, file, root, photos, options)
    image_id = builder.add_image(name, size)
    for number, feature in enumerate(features):
        try:
            _read_feature(feature, image_id, size, f"{file}: feature {number}", builder, options)
        except ClickMaskError as problem:
            options.on_problem(problem)


def _picture(
    fields: Fields, file: Path, root: Path, photos: Mapping[str, Path], options: ReadOptions
) -> tuple[str, Size]:
    """The picture's name and size: as the file states them, else of the picture that is named like it."""
    stated = fields.get("image")
    if isinstance(stated, dict):
        where = f"{file}: image"
        return text(stated, "file_name", where), Size(side(stated, "height", where), side(stated, "width", where))
    place = file.relative_to(root).with_suffix("").as_posix()
    photo = photos.get(place) or photos.get(PurePosixPath(place).name)
    if photo is None or options.images is None:
        raise DatasetError(
            f"{file}: does not say how large its picture is, wanted a picture named {PurePosixPath(place).name} "
            "(--images FOLDER)"
        )
    return photo.relative_to(options.images).as_posix(), picture_size(photo)


def _photos(folder: Path) -> dict[str, Path]:
    """Pictures by their names with and without suffix."""
    names: dict[str, Path] = {}
    for photo in list_pictures(folder):
        name = photo.relative_to(folder).as_posix()
        for known in (name, PurePosixPath(name).with_suffix("").as_posix()):
            names.setdefault(known, photo)
    return names


def _read_feature(
    feature: object, image_id: int, size: Size, where: str, builder: DatasetBuilder, options: ReadOptions
) -> None:
    fields = as_fields(feature, where)
    properties = as_fields(fields.get("properties") or {}, where)
    polygons = read_geometry(fields.get("geometry"), where)
    rings = tuple(outline for outline, *_ in polygons) if all(len(polygon) == 1 for polygon in polygons) else ()
    try:
        mask = polygons_to_mask(rings, size) if rings else fill_polygons(polygons, size)
    except ShapeError as error:
        raise ShapeError(f"{where}: {error}") from None
    if not rings:
        options.on_loss("points of polygons with holes, which become pixels", where)
    if fields.get("nucleusGeometry") is not None:
        options.on_loss("nuclei of cells", where)
    plane = as_fields(fields["geometry"], where).get("plane")
    if isinstance(plane, dict) and (plane.get("z") or plane.get("t")):
        options.on_note("objects of other planes of a stack", where)
    category, score, extras = _read_properties(properties, where, options)
    if isinstance(fields.get("id"), str):
        extras["feature_id"] = fields["id"]
    category_id = builder.category_id(category)
    builder.add_object(image_id, category_id, mask_to_rle(mask), score=score, rings=rings, extras=extras)


def _read_properties(properties: Fields, where: str, options: ReadOptions) -> tuple[str, float | None, dict[str, Any]]:
    """The class, the confidence, and everything else."""
    extras = other_fields(properties, _KNOWN, where, options.on_loss)
    extras = {name: value for name, value in extras.items() if value not in (None, False, {}, [])}
    classification = properties.get("classification")
    classification = classification if isinstance(classification, dict) else {}
    category = classification.get("name")
    if classification.keys() - {"name"} and is_plain(classification):
        extras["classification"] = {key: value for key, value in classification.items() if key != "name"}
    if properties.get("objectType", "annotation") != "annotation" and is_plain(properties["objectType"]):
        extras["objectType"] = properties["objectType"]
    measurements = _measurements(properties.get("measurements"))
    score = measurements.pop(_SCORE, None)
    if measurements and is_plain(measurements):
        extras["measurements"] = measurements
    elif measurements:
        options.on_loss("fields that hold NaN or infinity", where)
    is_score = isinstance(score, int | float) and not isinstance(score, bool) and is_plain(score)
    return category if isinstance(category, str) and category else UNLABELED, score if is_score else None, extras


def _measurements(value: object) -> dict[str, Any]:
    """By name; older files have a list of names and values."""
    if isinstance(value, list):
        return {str(one.get("name")): one.get("value") for one in value if isinstance(one, dict)}
    return dict(value) if isinstance(value, dict) else {}


def _write_file(annotated: AnnotatedImage, target: Path, names: Mapping[int, str], options: WriteOptions) -> None:
    image = annotated.image
    features = write_each(lambda item: _feature(item, names[item.category_id]), annotated, options.on_problem)
    content = {
        "type": "FeatureCollection",
        "features": list(features),
        "image": {"file_name": image.file_name, "width": image.size.width, "height": image.size.height},
    }
    with write_whole(target) as file:
        file.write(compact_json(content))


def _feature(item: ObjectRecord, category: str) -> dict[str, Any]:
    own = ("feature_id", "classification", "measurements", "objectType")
    extras = {name: value for name, value in item.extras.items() if name not in own}
    known = {name: item.extras[name] for name in own if name in item.extras}
    classification = _fields(known, "classification") | ({} if category == UNLABELED else {"name": category})
    measurements = _fields(known, "measurements") | ({} if item.score is None else {_SCORE: item.score})
    properties: dict[str, Any] = {"objectType": known.get("objectType", "annotation")}
    properties |= {"classification": classification} if classification else {}
    properties |= {"measurements": measurements} if measurements else {}
    feature: dict[str, Any] = {"type": "Feature", "geometry": _geometry(item)}
    feature |= {"id": known["feature_id"]} if "feature_id" in known else {}
    return feature | {"properties": with_fields(properties, extras)}


def _fields(known: Fields, name: str) -> dict[str, Any]:
    value = known.get(name)
    return dict(value) if isinstance(value, dict) else {}


def _geometry(item: ObjectRecord) -> dict[str, Any]:
    if item.is_box and item.box is not None:
        x, y, width, height = item.box
        return ring_geometry([(x, y, x + width, y, x + width, y + height, x, y + height)])
    return ring_geometry(item.rings) if item.rings else mask_geometry(item.rle)
