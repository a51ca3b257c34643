"""Between a project and the neutral records that every annotation format is read into and written from."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from clickmask.decoder import ClickMaskError, DatasetError, Size
from clickmask.decoder.formats.options import OnProblem
from clickmask.decoder.formats.records import AnnotatedImage, Dataset, ImageRecord, ObjectRecord
from clickmask.decoder.formats.records import Category as CategoryRecord
from clickmask.decoder.shapes import mask_to_rle, rle_to_mask
from clickmask.web.browser_rle import mask_to_runs, runs_to_mask
from clickmask.web.photos.library import COLORS
from clickmask.web.photos.project import Project
from clickmask.web.photos.records import Category, LabeledObject, Picture


def to_dataset(project: Project, *, done_only: bool = False) -> Dataset:
    """The project as a stream of annotated images; pictures without objects are part of it."""
    pictures = [picture for picture in project.pictures() if picture.status == "done" or not done_only]
    categories = tuple(CategoryRecord(category.id, category.name) for category in project.categories())
    return Dataset(
        categories, _Images(project, pictures), len(pictures), info={"description": "Labeled with ClickMask"}
    )


@dataclass(frozen=True)
class _Images:
    """Reads one picture's objects at a time; can be passed over again."""

    project: Project
    pictures: list[Picture]

    def __iter__(self) -> Iterator[AnnotatedImage]:
        number = 0
        for picture in self.pictures:
            size = Size(picture.height, picture.width)
            objects = self.project.objects(picture.id)
            records = tuple(_record(item, number + i, size) for i, item in enumerate(objects, start=1))
            number += len(objects)
            yield AnnotatedImage(ImageRecord(picture.id, picture.name, size), records)


def _record(item: LabeledObject, number: int, size: Size) -> ObjectRecord:
    return ObjectRecord(number, item.category, mask_to_rle(runs_to_mask(item.runs, size)), item.score)


def add_dataset(project: Project, dataset: Dataset, on_problem: OnProblem) -> int:
    """Add what a dataset knows about the project's pictures; returns the number of objects added.

    Pictures are matched by path, else by bare file name; masks that are there already are not
    added twice. Classes are matched by name, new ones are added.

    Args:
        project: Where to.
        dataset: What to add.
        on_problem: Called with everything that does not fit.
    """
    pictures = {picture.name: picture for picture in project.pictures()}
    by_file_name = {PurePosixPath(name).name: picture for name, picture in pictures.items()}
    ids = _category_ids(project, dataset)
    added = 0
    for annotated in dataset.images:
        if not annotated.objects:
            continue
        name = annotated.image.file_name.replace("\\", "/")
        picture = pictures.get(name) or by_file_name.get(PurePosixPath(name).name)
        if picture is None:
            on_problem(DatasetError(f"{name} is labeled in the file, but is not in this folder"))
        elif annotated.image.size != Size(picture.height, picture.width):
            here = Size(picture.height, picture.width)
            on_problem(DatasetError(f"{name} is {annotated.image.size} in the file, but {here} in this folder"))
        else:
            added += _add_objects(project, picture, annotated.objects, ids, on_problem)
    return added


def _category_ids(project: Project, dataset: Dataset) -> dict[int, int]:
    """Ids in the project for the ids in the dataset."""
    known = project.categories()
    by_name = {category.name: category.id for category in known}
    free = max(by_name.values(), default=0) + 1
    names = [category.name for category in dataset.categories if category.name not in by_name]
    for number, name in enumerate(dict.fromkeys(names), start=free):
        by_name[name] = number
        known.append(Category(number, name, COLORS[(number - 1) % len(COLORS)]))
    project.save_categories(known)
    return {category.id: by_name[category.name] for category in dataset.categories}


def _add_objects(
    project: Project, picture: Picture, records: tuple[ObjectRecord, ...], ids: dict[int, int], on_problem: OnProblem
) -> int:
    there = {(item.runs, item.category) for item in project.objects(picture.id)}
    new: dict[str, LabeledObject | None] = {}
    for record in records:
        try:
            runs = mask_to_runs(rle_to_mask(record.rle))
        except ClickMaskError as problem:
            on_problem(problem)
            continue
        category = ids[record.category_id]
        if (runs, category) not in there:
            there.add((runs, category))
            key = uuid.uuid4().hex[:16]
            new[key] = LabeledObject(key, category, runs, score=record.score, source="import")
    if new:
        project.write(picture.id, project.picture(picture.id).revision, new)
    return len(new)
