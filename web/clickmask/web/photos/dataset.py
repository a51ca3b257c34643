"""Between a folder's labels and the neutral records that every annotation format is read into and written from.

What another tool's file calls pictures, classes and annotations is kept and written again: ids, paths, crowds,
attributes, super-categories.
"""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any

from clickmask.decoder import ClickMaskError, DatasetError
from clickmask.decoder.formats import AnnotatedImage, Dataset, ImageRecord, ObjectRecord, OnProblem
from clickmask.decoder.formats import Category as CategoryRecord
from clickmask.decoder.shapes import rle_to_mask
from clickmask.web.photos.library import COLORS, FIRST_CATEGORIES, OpenFolder, by_file_name
from clickmask.web.photos.records import (
    FINISHED,
    UNCHECKED,
    Category,
    LabeledObject,
    Origin,
    Picture,
    Status,
    WaitingBox,
)

DATASET_FACTS = "dataset"  # memory: info and licenses of the file that was imported


@dataclass(frozen=True, slots=True)
class Added:
    """What an import brought: objects with masks, and boxes that wait for one."""

    objects: int = 0
    boxes: int = 0


def to_dataset(folder: OpenFolder, states: Collection[Status] = FINISHED) -> Dataset:
    """Return the finished pictures of a folder with their objects, as a stream; true negatives are part of it."""
    pictures = [picture for picture in folder.pictures() if is_exported(picture, states)]
    categories = tuple(
        CategoryRecord(item.id, item.name, item.supercategory, json.loads(item.extras))
        for item in folder.project.categories()
    )
    facts = json.loads(folder.project.recall(DATASET_FACTS) or "{}")
    return Dataset(
        categories,
        _Images(folder, pictures, _origins(folder, pictures)),
        len(pictures),
        info=facts.get("info") or {"description": "Labeled with ClickMask"},
        licenses=tuple(facts.get("licenses", ())),
    )


def is_exported(picture: Picture, states: Collection[Status]) -> bool:
    """Whether an export takes a picture: not one that was replaced by one of another size, or is not finished."""
    return picture.status in states and picture.replaced is None


def left_out(folder: OpenFolder, states: Collection[Status]) -> dict[str, int]:
    """Count the pictures that an export leaves out, by why: their status, or "replaced"."""
    missed = [picture for picture in folder.pictures() if not is_exported(picture, states)]
    return dict(Counter("replaced" if picture.replaced else picture.status for picture in missed))


def _origins(folder: OpenFolder, pictures: list[Picture]) -> dict[int, Origin]:
    """What to call the pictures: as their file did, with new numbers for those that no file knew or two share."""
    known, given = folder.project.origins(), dict[int, Origin]()
    taken: set[int] = set()
    for picture in pictures:
        origin = known.get(picture.id)
        if origin is not None and origin.number not in taken:
            given[picture.id] = origin
            taken.add(origin.number)
    free = max(taken, default=0)
    for picture in pictures:
        if picture.id not in given:
            number = picture.id if picture.id not in taken else (free := free + 1)
            given[picture.id] = Origin(number, picture.name)
            taken.add(number)
            free = max(free, number)
    return given


@dataclass(frozen=True)
class _Images:
    """Reads one picture's objects at a time; can be passed over again."""

    folder: OpenFolder
    pictures: list[Picture]
    origins: Mapping[int, Origin]

    def __iter__(self) -> Iterator[AnnotatedImage]:
        taken = {number for (number,) in self.folder.project.numbers()}
        free, used = max(taken, default=0), set[int]()
        for picture in self.pictures:
            records = []
            for item in self.folder.project.objects(picture.id):
                number = item.number if item.number is not None and item.number not in used else (free := free + 1)
                used.add(number)
                records.append(_record(item, number, picture))
            origin = self.origins[picture.id]
            image = ImageRecord(origin.number, picture.name, picture.size, extras=json.loads(origin.extras))
            yield AnnotatedImage(image, tuple(records))


def _record(item: LabeledObject, number: int, picture: Picture) -> ObjectRecord:
    extras = json.loads(item.extras)
    track = extras.get("track_id")
    return ObjectRecord(
        id=number,
        category_id=item.category,
        rle={"size": [picture.height, picture.width], "counts": item.counts},
        score=item.score if item.source in UNCHECKED else None,  # the rest is what a person saw and accepted
        is_crowd=item.crowd,
        track_id=track if isinstance(track, int) and not isinstance(track, bool) else None,
        extras={key: value for key, value in extras.items() if key != "track_id"},
    )


def with_file_names(dataset: Dataset, folder: OpenFolder) -> Dataset:
    """Return the dataset with the paths that the imported file had; for formats that bring no pictures along."""
    origins = {picture.name: folder.project.origins().get(picture.id) for picture in folder.pictures()}
    names = {name: origin.file_name for name, origin in origins.items() if origin}
    return replace(dataset, images=_Renamed(dataset, names))


@dataclass(frozen=True)
class _Renamed:
    dataset: Dataset
    names: Mapping[str, str]

    def __iter__(self) -> Iterator[AnnotatedImage]:
        for annotated in self.dataset.images:
            name = self.names.get(annotated.image.file_name, annotated.image.file_name)
            yield replace(annotated, image=replace(annotated.image, file_name=name))


def described(folder: OpenFolder) -> dict[str, Any]:
    """Return the images and classes of a folder as COCO, without annotations: what a list of results refers to."""
    pictures = folder.pictures()
    origins = _origins(folder, pictures)
    return {
        "images": [
            {"id": origins[one.id].number, "file_name": one.name, "width": one.width, "height": one.height}
            for one in pictures
        ],
        "categories": [{"id": one.id, "name": one.name} for one in folder.project.categories()],
        "annotations": [],
    }


def add_dataset(folder: OpenFolder, dataset: Dataset, on_problem: OnProblem) -> Added:
    """Add what a dataset knows about the folder's pictures.

    Pictures are matched by path, else by a bare file name that only one has; masks and boxes that are there
    already are not added twice. Classes are matched by name; new ones keep their id if it is free.

    Args:
        folder: Where to.
        dataset: What to add.
        on_problem: Called with everything that does not fit.
    """
    pictures = {picture.name: picture for picture in folder.pictures()}
    bare = by_file_name(pictures)
    ids: dict[int, int] | None = None
    origins: dict[int, Origin] = {}
    objects = boxes = 0
    for annotated in dataset.images:
        name = annotated.image.file_name.replace("\\", "/")
        picture = pictures.get(name) or bare.get(PurePosixPath(name).name)
        problem = _problem(annotated, picture, name)
        if problem is not None:
            on_problem(problem)
        elif picture is not None:
            if ids is None:
                ids = _category_ids(folder, dataset)
            origins[picture.id] = _origin(annotated.image)
            added = _add_objects(folder, picture, annotated.objects, ids, on_problem)
            objects, boxes = objects + added.objects, boxes + added.boxes
    if origins:
        folder.project.set_origins(origins)
        facts = {"info": dict(dataset.info), "licenses": [dict(one) for one in dataset.licenses]}
        if folder.project.recall(DATASET_FACTS) is None:
            folder.project.remember(DATASET_FACTS, json.dumps(facts))
    return Added(objects, boxes)


def _problem(annotated: AnnotatedImage, picture: Picture | None, name: str) -> ClickMaskError | None:
    if picture is None:
        return DatasetError(f"{name} is labeled in the file, but is not in this folder") if annotated.objects else None
    if annotated.image.size != picture.size:
        return DatasetError(f"{name} is {annotated.image.size} in the file, but {picture.size} in this folder")
    return None


def _origin(image: ImageRecord) -> Origin:
    return Origin(image.id, image.file_name, json.dumps(dict(image.extras)))


def _category_ids(folder: OpenFolder, dataset: Dataset) -> dict[int, int]:
    """Ids in the project for the ids in the dataset."""
    known = folder.project.categories()
    if tuple(known) == FIRST_CATEGORIES and not folder.project.objects_of(known[0].id):
        known = []  # nobody chose it
    by_name = {category.name: category.id for category in known}
    taken = set(by_name.values())
    for category in dataset.categories:
        if category.name in by_name:
            continue
        number = category.id if category.id not in taken else max(taken) + 1
        taken.add(number)
        by_name[category.name] = number
        color = COLORS[(len(known)) % len(COLORS)]
        extras = json.dumps(dict(category.extras))
        known.append(Category(number, category.name, color, category.supercategory, extras))
    if known:
        folder.project.save_categories(known)
    return {category.id: by_name[category.name] for category in dataset.categories}


def _add_objects(
    folder: OpenFolder,
    picture: Picture,
    records: tuple[ObjectRecord, ...],
    ids: Mapping[int, int],
    on_problem: OnProblem,
) -> Added:
    project = folder.project
    there = {(item.counts, item.category) for item in project.objects(picture.id)}
    waiting = {(item.box, item.category) for item in project.boxes(picture.id)}
    new: dict[str, LabeledObject | None] = {}
    boxes: list[WaitingBox] = []
    for record in records:
        key, category = uuid.uuid4().hex[:16], ids[record.category_id]
        extras = json.dumps(_extras(record))
        if record.is_box and record.box is not None:
            x, y, width, height = record.box
            box = (x, y, x + width, y + height)
            if (box, category) not in waiting:
                waiting.add((box, category))
                boxes.append(
                    WaitingBox(key, picture.id, category, box, record.score, record.is_crowd, extras, record.id)
                )
            continue
        try:
            empty = not rle_to_mask(record.rle).any()
        except ClickMaskError as problem:
            on_problem(problem)
            continue
        if empty:
            on_problem(DatasetError(f"{picture.name}: object {record.id} is empty"))
            continue
        counts = str(record.rle["counts"])
        if (counts, category) not in there:
            there.add((counts, category))
            new[key] = LabeledObject(
                key, category, counts, score=record.score, source="import", crowd=record.is_crowd, extras=extras,
                number=record.id,
            )  # fmt: skip
    if new:
        project.write(picture.id, project.picture(picture.id).revision, new)
    if boxes:
        project.add_boxes(boxes)
    return Added(len(new), len(boxes))


def _extras(record: ObjectRecord) -> dict[str, Any]:
    extras = dict(record.extras)
    return extras if record.track_id is None else {**extras, "track_id": record.track_id}


def unite(part: OpenFolder, below: str, above: OpenFolder) -> None:
    """Bring the labels that the project of a folder above has of a part's pictures into the part, once."""
    mark = f"united with {above.project.file}"
    if part.project.recall(mark) is not None:
        return
    view = replace(above, path=part.path, below=below, parts=[], unreadable={}, problems={})
    labeled = [picture for picture in view.pictures() if picture.object_count]
    dataset = Dataset(
        tuple(CategoryRecord(item.id, item.name, item.supercategory) for item in view.project.categories()),
        _Images(view, labeled, _origins(view, labeled)),
        len(labeled),
    )
    problems: list[ClickMaskError] = []
    add_dataset(part, dataset, problems.append)
    if problems:
        above.problems[str(part.path)] = [str(problem) for problem in problems]
    part.project.remember(mark, "yes")
