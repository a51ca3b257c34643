"""What the page asks for: plain dictionaries in, plain dictionaries out, no Gradio.

The service holds no state of any person: a request names its folder and picture, a click brings
all its points. Any number of pages and threads may ask at once.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import asdict
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clickmask.decoder import ClickMaskError, DatasetError, ImageError, LearningError, MaskRule, Size, chance_all_good
from clickmask.decoder.shapes import mask_to_polygons, polygons_to_mask
from clickmask.web.browser_rle import mask_to_runs, runs_to_mask, runs_to_rle
from clickmask.web.jobs import Job, Jobs
from clickmask.web.photos.boxes import make_masks, waiting_boxes
from clickmask.web.photos.export import ExportRequest, export_request, run_export
from clickmask.web.photos.imports import add_label_file, add_picture_file
from clickmask.web.photos.learning import MakeJob, learn, learning_state, roll_back, versions_of
from clickmask.web.photos.library import COLORS, Library, OpenFolder
from clickmask.web.photos.messages import (
    Message,
    box_message,
    object_message,
    read_categories,
    read_object,
    read_prompt,
    segmentation_message,
)
from clickmask.web.photos.pictures import image_source, thumbnail_url
from clickmask.web.photos.propagation import following, propagate
from clickmask.web.photos.records import FINISHED, Change, LabeledObject, Picture
from clickmask.web.photos.similar import (
    Shown,
    examples_of,
    examples_on,
    look_through,
    propose,
    read_kind,
    unfinished_after,
)

if TYPE_CHECKING:
    from clickmask.decoder import ClickEngine, Engine, FoundMask, Model, SimilarObject

Answer = dict[str, Any]
LAST_PICTURE = "last picture"
NO_OBJECT = "there is no object to follow: select one first"


class Service:
    """Everything the page can do, on the folders of a library, with one engine.

    Args:
        engine: The engine, possibly still loading; the first click waits for it.
        library: The folders.
        start_folder: What a page opens that has not been here before.
        model_name: Shown to the person.
        file_url: Where the browser finds a file of this machine.
        model: The model, not the engine's faster form: to follow objects through a folder.
        make_job: What a process is to do that learns; None: this server does not learn.
    """

    def __init__(
        self,
        engine: Future[Engine] | Future[ClickEngine],
        library: Library,
        *,
        start_folder: Path,
        model_name: str,
        file_url: Callable[[Path], str],
        model: Future[Model] | None = None,
        make_job: MakeJob | None = None,
    ) -> None:
        self.library = library
        self.jobs = Jobs()
        self._engine = engine
        self._model = model
        self._make_job = make_job
        self._learned: dict[Path, tuple[str, Engine]] = {}  # by folder: the version, and the engine that uses it
        self.start_folder = start_folder
        self._model_name = model_name
        self._file_url = file_url
        self._thumbnail = lru_cache(maxsize=4096)(_thumbnail)

    @property
    def engine(self) -> ClickEngine:
        """The engine; the first who asks may have to wait for it."""
        return self._engine.result()

    def _engine_here(self, folder: OpenFolder) -> Engine:
        """The engine that answers a folder, for what decoders on other machines do not offer."""
        from clickmask.decoder import Engine

        engine = self.engine_of(folder)
        if not isinstance(engine, Engine):
            raise DatasetError("decoders on other machines do not look for similar objects: start without --engine")
        return engine

    def engine_of(self, folder: OpenFolder) -> ClickEngine:
        """The engine that answers a folder: with what its objects taught."""
        from clickmask.decoder import Engine

        engine = self.engine
        version = learning_state(folder)["version"]
        if not version or not isinstance(engine, Engine):  # what was learned here is not on other machines
            return engine
        kept = self._learned.get(folder.path)
        if kept is None or kept[0] != version:
            kept = self._learned[folder.path] = (version, versions_of(folder).engine(engine))
        return kept[1]

    # folders

    def start(self, _message: Message) -> Answer:
        """What a fresh page needs to know."""
        return {
            "model": self._model_name,
            "roots": [str(root) for root in self.library.gate.roots],
            "folder": str(self.start_folder),
            "colors": list(COLORS),
        }

    def list_folders(self, message: Message) -> Answer:
        """The folders inside ``path``, and the folder above unless that is off limits."""
        gate = self.library.gate
        here = gate.folder(message["path"])
        above = here.parent
        can_leave = gate.holds(above)
        return {
            "path": str(here),
            "above": str(above) if can_leave else None,
            "folders": [{"path": str(child), "name": child.name} for child in self.library.subfolders(here)],
        }

    def open_folder(self, message: Message) -> Answer:
        """Everything about a folder but the objects: pictures, categories, where work stopped."""
        folder = self.library.refreshed(message["folder"])
        last = folder.project.recall(LAST_PICTURE)
        return {
            "folder": str(folder.path),
            "name": folder.path.name,
            "labels_elsewhere": None if folder.store.is_relative_to(folder.path) else str(folder.store),
            "labels_above": bool(folder.below),
            "pictures": _pictures(folder),
            "categories": [asdict(category) for category in folder.project.categories()],
            "last": int(last) if last else None,
            "unreadable": list(folder.unreadable.values()),
            "problems": [problem for told in folder.problems.values() for problem in told],
            "notes": list(folder.notes),
            "parts": [{**asdict(part), "path": str(part.path)} for part in folder.parts],
            "boxes": len(waiting_boxes(folder)),
        }

    def save_categories(self, message: Message) -> Answer:
        """Replace the class list."""
        project = self.library.folder(message["folder"]).project
        known = {category.id: category for category in project.categories()}
        project.save_categories(read_categories(message["categories"], known))
        return {"categories": [asdict(category) for category in project.categories()]}

    def merge_category(self, message: Message) -> Answer:
        """Give all objects of the class ``from`` the class ``to``, and remove the first."""
        project = self.library.folder(message["folder"]).project
        project.merge_category(int(message["from"]), int(message["to"]))
        return {"categories": [asdict(category) for category in project.categories()]}

    # pictures

    def open_picture(self, message: Message) -> Answer:
        """Where the browser finds the picture, and what is labeled on it."""
        folder, picture = self._picture(message)
        url = self._file_url(folder.browser_file(picture.name))
        folder.project.remember(LAST_PICTURE, str(picture.id))
        return {"picture": asdict(picture), "url": url, **self._labels(folder, picture)}

    def picture_url(self, message: Message) -> Answer:
        """Where the browser finds a picture, to fetch it ahead of time."""
        folder, picture = self._picture(message)
        return {"url": self._file_url(folder.browser_file(picture.name))}

    def warm_up(self) -> None:
        """Encode the picture a fresh page shows and answer a click on it: first times are slow."""
        folder = str(self.start_folder)
        opened = self.open_folder({"folder": folder})
        pictures = [item for item in opened["pictures"] if not item["missing"]]
        first = next((item for item in pictures if item["id"] == opened["last"]), pictures[0] if pictures else None)
        if first:
            middle = [first["width"] / 2, first["height"] / 2, True]
            self.segment({"folder": folder, "picture": first["id"], "points": [middle]})

    def encode(self, message: Message) -> Answer:
        """Encode a picture, so that clicks on it are answered at once."""
        folder, picture = self._picture(message)
        file = folder.picture_file(picture.name)
        return {"was_cached": self.engine.encode(image_source(file))}

    def set_status(self, message: Message) -> Answer:
        """Say how far a picture is, see ``STATUSES``, and what there is to say about it (``note``)."""
        folder, picture = self._picture(message)
        note = message.get("note")
        folder.project.set_status(picture.id, message["status"], None if note is None else str(note))
        return {"picture": asdict(folder.picture(picture.id))}

    def thumbnails(self, message: Message) -> Answer:
        """Small copies of ``pictures``, by id, as data URLs; those that cannot be read are left out."""
        folder = self.library.folder(message["folder"])
        names = {picture.id: picture.name for picture in folder.pictures()}
        found = {}
        for picture_id in message["pictures"]:
            if picture_id in names and (url := self._thumbnail_of(folder, names[picture_id])):
                found[str(picture_id)] = url
        return {"urls": found}

    def _thumbnail_of(self, folder: OpenFolder, name: str) -> str | None:
        try:
            file = folder.picture_file(name)
            return self._thumbnail(file, file.stat().st_mtime_ns)
        except (ImageError, OSError):
            return None

    # objects

    def segment(self, message: Message) -> Answer:
        """Answer one prompt with a mask; ``zoom`` true or false asks for a second look or for none.

        ``rule_before`` and ``zoom_before`` say how the mask was made that the person saw before the last click.
        """
        folder, picture = self._picture(message)
        file, size = folder.same_size(picture), picture.size
        prompt = read_prompt(message, size)
        how = MaskRule(message.get("rule", "auto"), message.get("zoom"))
        before = MaskRule(message.get("rule_before", how.rule), message.get("zoom_before", how.zoom))
        engine = self.engine_of(folder)
        answer = engine.chain.segment(image_source(file), prompt, how, before)
        return segmentation_message(answer, wants_zoom=engine.wants_zoom)

    def outline(self, message: Message) -> Answer:
        """The polygon of a mask with the fewest points that keeps at least ``min_iou``."""
        _, picture = self._picture(message)
        mask = runs_to_mask(message["runs"], picture.size)
        polygons = mask_to_polygons(mask, min_iou=float(message.get("min_iou", 1.0)))
        rings = [[round(float(value), 1) for value in ring.ravel()] for ring in polygons.rings]
        return {"rings": rings, "iou": round(polygons.iou, 4), "points": polygons.num_points}

    def fill(self, message: Message) -> Answer:
        """The mask inside polygon ``rings`` [[x, y, x, y, ...]], by the rule of COCO."""
        _, picture = self._picture(message)
        mask = polygons_to_mask(message["rings"], picture.size)
        return {"runs": mask_to_runs(mask)}

    def write(self, message: Message) -> Answer:
        """Put and remove objects: ``changes`` [{id, object or null}], based on ``revision``.

        ``undoes`` is the revision of the write that this one takes back, if it does.
        """
        folder, picture = self._picture(message)
        after: dict[str, LabeledObject | None] = {
            str(change["id"]): read_object(change["object"], picture.size) if change.get("object") else None
            for change in message["changes"]
        }
        if any(after.values()) and not picture.missing:
            folder.same_size(picture)
        undoes = message.get("undoes")
        known = {category.id for category in folder.project.categories()}
        unknown = {item.category for item in after.values() if item} - known
        if unknown:
            raise DatasetError(f"class {unknown.pop()} does not exist (any more): reload the page")
        revision = int(message["revision"])
        return {"revision": folder.project.write(picture.id, revision, after, None if undoes is None else int(undoes))}

    def labels(self, message: Message) -> Answer:
        """The objects of a picture and their revision, as they are now."""
        return self._labels(*self._picture(message))

    def history(self, message: Message) -> Answer:
        """The latest writes to a picture that still count, oldest first, to undo them after a reload.

        ``before`` asks for those of earlier revisions.
        """
        folder, picture = self._picture(message)
        before = message.get("before")
        writes = folder.project.history(picture.id, before=None if before is None else int(before))
        return {
            "writes": [[_change_message(change, picture.size) for change in write.changes] for write in writes],
            "revisions": [write.revision for write in writes],
        }

    # files

    def add_pictures(self, message: Message) -> Answer:
        """Copy uploaded ``files`` [{path, name}] into the folder."""
        folder = self.library.folder(message["folder"])
        added, refused = [], []
        for file in message["files"]:
            try:
                added.append(add_picture_file(folder, self.library.gate.upload(file), file["name"]))
            except ClickMaskError as error:
                refused.append(str(error))
        return {"added": added, "refused": refused, "folder": self.open_folder(message)}

    def import_labels(self, message: Message) -> Answer:
        """Add the labels of an uploaded COCO or Label Studio file."""
        folder = self.library.folder(message["folder"])
        imported = add_label_file(folder, self.library.gate.upload(message["path"]))
        added = {"objects": imported.added.objects, "boxes": imported.added.boxes}
        return {**added, "problems": imported.problems, "folder": self.open_folder(message)}

    # jobs

    def start_export(self, message: Message) -> Answer:
        """Begin an export; the job's result names the file and where the browser finds it."""
        folder = self.library.folder(message["folder"])
        request = export_request(
            folder,
            file_format=message.get("format", "coco"),
            shape=message.get("shape", "polygons"),
            min_iou=float(message.get("min_iou", 0.99)),
            states=tuple(message.get("states") or FINISHED),
            val_share=float(message.get("val_share", 0.0)),
        )
        return {"job": self.jobs.start(partial(self._export, request))}

    def _export(self, request: ExportRequest, job: Job) -> Answer:
        result = run_export(request, job.report)
        path = Path(result["path"])
        return {**result, "name": path.name, "url": self._file_url(path)}

    def start_everything(self, message: Message) -> Answer:
        """Begin to look for all objects of a picture; the job's result holds them in ``found``."""
        folder, picture = self._picture(message)
        return {"job": self.jobs.start(partial(self._everything, folder, folder.same_size(picture)))}

    def start_boxes(self, message: Message) -> Answer:
        """Begin to make masks of the boxes that have none; the job's result counts those ``made`` and ``failed``."""
        folder = self.library.folder(message["folder"])
        return {"job": self.jobs.start(lambda job: make_masks(folder, self.engine_of(folder), job.report))}

    def _everything(self, folder: OpenFolder, file: Path, job: Job) -> Answer:
        masks = self.engine_of(folder).segment_everything(image_source(file), progress=job.report_share)
        return {"found": [_proposal(number, found) for number, found in enumerate(masks)]}

    def start_similar(self, message: Message) -> Answer:
        """Begin to look for the others of ``objects`` (ids) of a picture; ``refused`` [{picture, runs}] were dropped.

        The job's result holds them in ``found``, lowest score first.
        """
        folder, picture = self._picture(message)
        examples, refused = examples_on(folder, picture, message["objects"]), self._refused(folder, message)

        def work(job: Job) -> Answer:
            engine = self._engine_here(folder)
            kind = read_kind(folder, engine, examples, refused)
            dropped = [one.rle for one in refused if one.picture.id == picture.id]
            found = propose(folder, picture, engine, kind, dropped, job.report_share)
            return {"found": [_similar(number, one) for number, one in enumerate(reversed(found))]}

        return {"job": self.jobs.start(work)}

    def start_similar_after(self, message: Message) -> Answer:
        """Begin to look for objects of a ``category`` on at most ``count`` pictures after one, and put them there.

        The examples are the folder's accepted objects of the class; ``refused`` [{picture, runs}] were dropped. The
        job's result counts the objects ``made`` and the ``pictures`` they are on.
        """
        folder, picture = self._picture(message)
        category = int(message["category"])
        pictures = unfinished_after(folder, picture.id, int(message["count"]))
        examples, refused = examples_of(folder, category), self._refused(folder, message)

        def work(job: Job) -> Answer:
            engine = self._engine_here(folder)
            kind = read_kind(folder, engine, examples, refused)
            return look_through(folder, pictures, engine, kind, category, job.report)

        return {"job": self.jobs.start(work)}

    def _refused(self, folder: OpenFolder, message: Message) -> list[Shown]:
        """What a person dropped; what was on a picture that is gone does not count."""
        pictures = {
            picture.id: picture for picture in folder.pictures() if not picture.missing and not picture.replaced
        }
        return [
            Shown(pictures[int(one["picture"])], runs_to_rle(one["runs"], pictures[int(one["picture"])].size))
            for one in message.get("refused") or ()
            if int(one["picture"]) in pictures
        ]

    def start_learning(self, message: Message) -> Answer:
        """Begin to learn from the folder's objects; the job's result is as ``learning``, and says if it is ``used``.

        Raises:
            LearningError: If this server does not learn.
        """
        folder, make_job = self.library.folder(message["folder"]), self._make_job
        if make_job is None:
            raise LearningError("this server does not learn")
        return {"job": self.jobs.start(lambda job: learn(folder, make_job, job.report))}

    def learning(self, message: Message) -> Answer:
        """What the folder's objects taught: ``version`` in use, and the last try's ``sentence``."""
        return learning_state(self.library.folder(message["folder"]))

    def roll_back_learning(self, message: Message) -> Answer:
        """Answer the folder as before the version in use."""
        return roll_back(self.library.folder(message["folder"]))

    def start_propagation(self, message: Message) -> Answer:
        """Begin to follow ``objects`` (ids) of a picture through at most ``count`` pictures after it.

        The job's result counts the objects ``made`` and the ``pictures`` reached.
        """
        folder, picture = self._picture(message)
        pictures = following(folder, picture.id, int(message["count"]))
        known = {item.id: item for item in folder.project.objects(picture.id)}
        missing = [key for key in message["objects"] if key not in known]
        if missing or not message["objects"]:
            raise DatasetError(f"object {missing[0]} is not on this picture" if missing else NO_OBJECT)
        if self._model is None:
            raise DatasetError("this server cannot follow objects")
        objects, model = [known[key] for key in message["objects"]], self._model
        return {"job": self.jobs.start(lambda job: propagate(folder, pictures, objects, model.result(), job.report))}

    def job(self, message: Message) -> Answer:
        """How far a job is."""
        return self.jobs.job(str(message["job"])).message()

    def stop_job(self, message: Message) -> Answer:
        """Stop a job."""
        self.jobs.job(str(message["job"])).stop()
        return {}

    def _picture(self, message: Message) -> tuple[OpenFolder, Picture]:
        folder = self.library.folder(message["folder"])
        return folder, folder.picture(int(message["picture"]))

    def _labels(self, folder: OpenFolder, picture: Picture) -> Answer:
        objects = folder.project.objects(picture.id)
        return {
            "revision": picture.revision,
            "objects": [object_message(item, picture.size) for item in objects],
            "boxes": [box_message(box) for box in folder.project.boxes(picture.id)],
        }


def _pictures(folder: OpenFolder) -> list[Answer]:
    """The pictures of a folder with what a list can be searched and sorted by."""
    summaries, unchecked = folder.project.summaries(), folder.project.unchecked()
    found = []
    for picture in folder.pictures():
        counts, lowest = summaries.get(picture.id, ({}, None))
        scores = unchecked.get(picture.id, [])
        fields = {**asdict(picture), "boxes": picture.box_count, "unchecked": len(scores)}
        fields["all_good"] = chance_all_good(scores)  # of those that nobody looked at
        found.append({**fields, "categories": {str(key): n for key, n in counts.items()}, "lowest_score": lowest})
    return found


def _change_message(change: Change, size: Size) -> Answer:
    return {
        "id": change.id,
        "before": change.before and object_message(change.before, size),
        "after": change.after and object_message(change.after, size),
    }


def _thumbnail(file: Path, version: int) -> str | None:
    del version  # part of the cache's key: a replaced file gets a new thumbnail
    try:
        return thumbnail_url(file)
    except ImageError:
        return None


def _similar(number: int, one: SimilarObject) -> Answer:
    return {"id": number, "runs": mask_to_runs(one.found.mask()), "score": round(one.score, 4)}


def _proposal(number: int, found: FoundMask) -> Answer:
    return {"id": number, "runs": mask_to_runs(found.mask()), "score": round(found.predicted_iou, 4)}
