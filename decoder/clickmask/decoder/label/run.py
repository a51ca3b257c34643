"""Label a whole data set: what to do for each picture, noted in a journal, written out at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol

from clickmask.decoder.auto.settings import AutoSettings
from clickmask.decoder.engine import Engine
from clickmask.decoder.errors import ClickMaskError, DatasetError
from clickmask.decoder.formats.folders import PictureFolder
from clickmask.decoder.formats.records import AnnotatedImage, Category, Dataset, ImageRecord, ObjectRecord
from clickmask.decoder.images import ImageSource, LoadImage
from clickmask.decoder.label.journal import Journal, JournalEntry
from clickmask.decoder.label.upgrade import Kind, LabeledObject, flag_doubles, touches_border, upgrade_objects
from clickmask.decoder.prompts import Size

EXTRA = "clickmask"  # the field of an object that holds its flags


Label = Callable[[Engine, ImageSource], Any]  # labels a picture, as JSON; raises ClickMaskError if it cannot
Entries = Callable[[Iterable[str]], Iterator[JournalEntry]]  # what a journal says of these pictures, in this order


@dataclass(frozen=True, slots=True)
class PictureTask:
    """What is to be done with one picture; it can be sent to another machine.

    Args:
        key: Names the picture in its run.
        load: Reads it; raises ClickMaskError if it cannot.
        label: Labels it.
    """

    key: str
    load: LoadImage
    label: Label


class Job(Protocol):
    """What is done to each picture of a data set, and how the results become a data set."""

    def tasks(self) -> Iterator[PictureTask]:
        """What is to be done, in order, the same in every run."""

    def dataset(self, entries: Entries, only_below: float | None) -> Dataset:
        """Return everything, from the journal's entries."""


def run_job(job: Job, engine: Engine, journal: Journal, progress: Callable[[int], None]) -> None:
    """Label what the journal does not hold yet; what goes wrong with a picture is noted, and the next is begun.

    Args:
        job: What to do.
        engine: Answers.
        journal: What is done.
        progress: Told after each picture how many objects it has.

    Raises:
        DatasetError: If the journal cannot be written.
    """
    done = journal.done()
    for task in job.tasks():
        if task.key not in done:
            entry = label_picture(task, engine)
            journal.add(entry)
            progress(object_count(entry))


def label_picture(task: PictureTask, engine: Engine) -> JournalEntry:
    """Label one picture, or say why it cannot be."""
    try:
        return JournalEntry(task.key, result=task.label(engine, ImageSource(task.key, task.load)))
    except ClickMaskError as error:
        return JournalEntry(task.key, error=str(error))


def object_count(entry: JournalEntry) -> int:
    """How many objects a picture has."""
    return 0 if entry.error is not None else len(entry.result["objects"])


@dataclass(frozen=True, slots=True)
class FindEverything:
    """Look for all objects of the pictures of a folder.

    Args:
        pictures: The folder.
        names: Of the pictures, as paths below it.
        settings: What to look for.
        category: Name of what is found.
    """

    pictures: PictureFolder
    names: tuple[str, ...]
    settings: AutoSettings
    category: str

    def tasks(self) -> Iterator[PictureTask]:
        """By their paths below the folder."""
        label = partial(_find, self.settings)
        return (PictureTask(name, partial(self.pictures.load, name), label) for name in self.names)

    def dataset(self, entries: Entries, only_below: float | None) -> Dataset:
        """Pictures and objects are numbered in order."""
        images = _Everything(self.names, entries, only_below)
        return Dataset((Category(1, self.category),), images, sum(1 for _ in images))


def _find(settings: AutoSettings, engine: Engine, image: ImageSource) -> Any:
    found = engine.segment_everything(image, settings)
    size = engine.image_size(image)
    records = [
        ObjectRecord(0, 1, mask.rle, round(mask.predicted_iou, 4), extras={"stability": round(mask.stability, 4)})
        for mask in found
    ]
    boxes = [mask.box for mask in found]
    flagged = flag_doubles([LabeledObject(record, ()) for record in records])
    objects = [
        replace(item, flags=("border", *item.flags)) if touches_border(box, size) else item
        for item, box in zip(flagged, boxes, strict=True)
    ]
    return {"size": [size.height, size.width], "objects": [to_json(item) for item in objects]}


@dataclass(frozen=True, slots=True)
class _Everything:
    """Iterate again to read the journal again."""

    names: tuple[str, ...]
    entries: Entries
    only_below: float | None

    def __iter__(self) -> Iterator[AnnotatedImage]:
        object_id = 0
        for image_id, entry in enumerate(self.entries(self.names), start=1):
            if entry.error is not None:
                continue
            numbered = []
            for line in entry.result["objects"]:
                object_id += 1
                numbered.append(from_json(line, ObjectRecord(object_id, 1, line["rle"])))
            shown = needing_eyes(numbered, self.only_below)
            if shown or self.only_below is None:
                yield AnnotatedImage(ImageRecord(image_id, entry.key, Size(*entry.result["size"])), tuple(shown))


@dataclass(frozen=True, slots=True)
class UpgradeDataset:
    """Give the objects of a data set masks that follow them; a picture that cannot be read keeps its old ones.

    Args:
        pictures: Their folder.
        source: The data set.
        kind: What its objects are, see ``upgrade_objects``.
    """

    pictures: PictureFolder
    source: Dataset
    kind: Kind

    def tasks(self) -> Iterator[PictureTask]:
        """By their numbers."""
        for annotated in self.source.images:
            load = partial(self.pictures.load, annotated.image.file_name)
            yield PictureTask(_key(annotated), load, partial(_upgrade, annotated, self.kind))

    def dataset(self, entries: Entries, only_below: float | None) -> Dataset:
        """Ids, categories and all other fields as they were."""
        images = _Upgraded(self.source, entries, only_below)
        return replace(self.source, images=images, image_count=sum(1 for _ in images))


def _key(annotated: AnnotatedImage) -> str:
    return str(annotated.image.id)


def _upgrade(annotated: AnnotatedImage, kind: Kind, engine: Engine, image: ImageSource) -> Any:
    size = engine.image_size(image)
    if size != annotated.image.size:
        name, wanted = annotated.image.file_name, annotated.image.size
        raise DatasetError(f"{name} is {size}, wanted {wanted} as the labels say")
    labeled = upgrade_objects(engine, image, annotated.objects, size, kind)
    return {"objects": [to_json(item) for item in labeled]}


@dataclass(frozen=True, slots=True)
class _Upgraded:
    """Iterate again to read the journal again."""

    source: Dataset
    entries: Entries
    only_below: float | None

    def __iter__(self) -> Iterator[AnnotatedImage]:
        keys = (_key(annotated) for annotated in self.source.images)
        for annotated, entry in zip(self.source.images, self.entries(keys), strict=True):
            if entry.error is not None:
                objects = [_with_flags(item, ("kept",)) for item in annotated.objects]
            else:
                pairs = zip(entry.result["objects"], annotated.objects, strict=True)
                objects = [from_json(line, item) for line, item in pairs]
            shown = needing_eyes(objects, self.only_below)
            if shown or self.only_below is None:
                yield replace(annotated, objects=tuple(shown))


def to_json(item: LabeledObject) -> dict[str, Any]:
    """An object as a journal keeps it."""
    stability = item.record.extras.get("stability")
    known = {} if stability is None else {"stability": stability}
    return {"rle": item.record.rle, "score": item.record.score, "flags": list(item.flags), **known}


def from_json(line: dict[str, Any], item: ObjectRecord) -> ObjectRecord:
    """An object of a journal; what the journal does not keep is as it was."""
    if "kept" in line["flags"]:
        return _with_flags(replace(item, score=line["score"]), line["flags"])
    record = replace(item, rle=line["rle"], score=line["score"], rings=(), box=None, area=None, is_box=False)
    return _with_flags(record, line["flags"], line.get("stability"))


def _with_flags(item: ObjectRecord, flags: Sequence[str], stability: float | None = None) -> ObjectRecord:
    known = {} if stability is None else {"stability": stability}
    return replace(item, extras={**item.extras, EXTRA: {"flags": list(flags), **known}})


def flags_of(item: ObjectRecord) -> Sequence[str]:
    """The flags of an object; one that was not labeled by us has none."""
    flags: Sequence[str] = item.extras.get(EXTRA, {}).get("flags", ())
    return flags


def needs_eyes(item: ObjectRecord) -> bool:
    """Whether anything about an object is odd; that it touches the border is not."""
    return any(flag != "border" for flag in flags_of(item))


def needing_eyes(objects: Sequence[ObjectRecord], only_below: float | None) -> list[ObjectRecord]:
    """All objects, or those that are flagged or scored below."""
    if only_below is None:
        return list(objects)
    return [item for item in objects if item.score is None or item.score < only_below or needs_eyes(item)]
