"""Functions for programs: Gradio clients call them by name, and agents as MCP tools."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import gradio as gr

from clickmask.decoder import ClickMaskError, DatasetError, PromptError
from clickmask.decoder.formats.coco import to_coco_annotation
from clickmask.web.photos.export import export_request, run_export
from clickmask.web.photos.imports import add_label_file
from clickmask.web.photos.library import OpenFolder
from clickmask.web.photos.messages import read_prompt
from clickmask.web.photos.pictures import image_source
from clickmask.web.photos.records import Picture
from clickmask.web.photos.service import Service


def add_endpoints(service: Service) -> None:
    """Give the Blocks being built the public endpoints of a service."""

    def list_pictures(folder: str) -> list[dict[str, Any]]:
        """List the pictures of a folder with their size, status and number of labeled objects.

        Args:
            folder: Path of the folder on the server; empty for the one the app starts with.
        """
        with told():
            pictures = service.library.refreshed(folder or str(service.start_folder)).pictures()
            return [asdict(picture) for picture in pictures]

    def predict(
        folder: str, picture: str, points: list[list[float]], labels: list[int], box: list[float]
    ) -> dict[str, Any]:
        """Outline the object that points and a box indicate, as a COCO annotation with its scores.

        Args:
            folder: Path of the folder on the server; empty for the one the app starts with.
            picture: Name of the picture in the folder.
            points: Clicks as [x, y] in pixels; may be empty if there is a box.
            labels: For each click 1 if it belongs to the object, 0 if not.
            box: A box around the object as [x0, y0, x1, y1] in pixels, or empty.
        """
        with told():
            return _predict(service, folder or str(service.start_folder), picture, points, labels, box)

    def export_labels(
        folder: str,
        file_format: str = "coco",
        shape: str = "polygons",
        min_iou: float = 0.99,
        states: str = "done,accepted",
        val_share: float = 0.0,
    ) -> gr.FileData:
        """Export the labels of a folder as one file.

        Args:
            folder: Path of the folder on the server; empty for the one the app starts with.
            file_format: coco, yolo, voc, labelme, png or label-studio.
            shape: For coco: polygons (exact), simplified, or rle.
            min_iou: The IoU with the mask that simplified polygons keep at least.
            states: Which pictures are taken, by status: some of todo, done, skipped, accepted, redo, with commas.
            val_share: For yolo: how many of the pictures are set apart for validation, such as 0.2.
        """
        with told():
            opened = service.library.folder(folder or str(service.start_folder))
            chosen = tuple(state.strip() for state in states.split(","))
            request = export_request(
                opened, file_format=file_format, shape=shape, min_iou=min_iou, states=chosen, val_share=val_share
            )
            return gr.FileData(path=run_export(request, _silent)["path"])

    def import_labels(folder: str, file: gr.FileData) -> int:
        """Add the labels of a COCO or Label Studio JSON file to a folder; returns how many objects were added.

        Args:
            folder: Path of the folder on the server; empty for the one the app starts with.
            file: The JSON file.
        """
        with told():
            opened = service.library.folder(folder or str(service.start_folder))
            return add_label_file(opened, service.library.gate.upload(file)).added.objects

    for function in (list_pictures, predict, export_labels, import_labels):
        gr.api(function, api_name=function.__name__, concurrency_limit=4)


def _predict(
    service: Service, folder: str, name: str, points: list[list[float]], labels: list[int], box: list[float]
) -> dict[str, Any]:
    points, labels = points or [], labels or []  # a program may leave them out
    if len(points) != len(labels):
        raise PromptError(f"got {len(points)} points and {len(labels)} labels, wanted one label for each point")
    unknown = [label for label in labels if label not in (0, 1)]
    if unknown:
        raise PromptError(f"label is {unknown[0]!r}, wanted 1 for a click on the object and 0 for one beside it")
    opened = service.library.folder(folder)
    picture = _find(opened, name)
    marks = [[*point, bool(label)] for point, label in zip(points, labels, strict=True)]
    prompt = read_prompt({"points": marks, "box": box}, picture.size)
    answer = service.engine.chain.segment(image_source(opened.same_size(picture)), prompt)
    annotation = to_coco_annotation(answer.mask(), annotation_id=1, image_id=picture.id, category_id=1)
    return {
        **annotation,
        "predicted_iou": round(float(answer.predicted_iou[answer.chosen]), 4),
        "stability": round(float(answer.stability[answer.chosen]), 4),
    }


def _find(folder: OpenFolder, name: str) -> Picture:
    pictures = folder.pictures()
    for picture in pictures:
        if picture.name == name:
            return picture
    raise DatasetError(
        f"there is no picture {name!r} in {folder.path}: wanted one of its {len(pictures)}, see list_pictures"
    )


def _silent(_done: int, _total: int) -> None:
    """Nobody watches."""


@contextmanager
def told() -> Iterator[None]:
    """Errors for a program's user, as Gradio hands them on."""
    try:
        yield
    except ClickMaskError as error:
        raise gr.Error(str(error)) from error
