"""Datasets put together and taken apart, whatever format they came from."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from clickmask.decoder.errors import DatasetError
from clickmask.decoder.formats.options import OnProblem, Tell, raise_problem, say_nothing
from clickmask.decoder.formats.records import AnnotatedImage, Category, Dataset, ImageRecord
from clickmask.decoder.formats.spool import Spool


def merge_datasets(
    datasets: Sequence[Dataset], on_problem: OnProblem = raise_problem, on_note: Tell = say_nothing
) -> Dataset:
    """Return one dataset with everything in it; to append to a dataset, put it first.

    Categories of two datasets with one name become one (two of one name in one dataset stay two),
    and so do images with one file name (and video); their objects are united. The first dataset
    keeps all its ids. A later one keeps those that are still free and gets the next number
    otherwise; licenses are numbered likewise, and images follow.

    Args:
        datasets: At least one; each is passed over once.
        on_problem: Called when an image comes twice in different sizes; the later one is left out.
        on_note: Called with every image that comes twice.

    Raises:
        DatasetError: If there is nothing to merge.
    """
    if not datasets:
        raise DatasetError("got no dataset to merge, wanted at least one")
    merging = _Merging()
    for dataset in datasets:
        merging.add(dataset, on_problem, on_note)
    extras: dict[str, Any] = {}
    for dataset in reversed(datasets):
        extras |= dataset.extras
    info = next((dataset.info for dataset in datasets if dataset.info), {})
    categories = tuple(merging.categories.values())
    return Dataset(categories, merging.spool, merging.spool.image_count(), info, tuple(merging.licenses), extras)


def split_dataset(dataset: Dataset, shares: Mapping[str, float], *, seed: int = 0) -> dict[str, Dataset]:
    """Return the dataset in parts of the given shares; all frames of a video stay together.

    Which part an image goes to follows from its file name and the seed, not from the order
    of the images. Every part has all categories.

    Args:
        dataset: Passed over once here, and once by whoever iterates over each part.
        shares: Part names and their shares of the images, which must add up to 1.
        seed: Another seed gives another split.

    Raises:
        DatasetError: If a share is not in [0, 1] or they do not add up to 1.

    Example:
        >>> split_dataset(Dataset((), [], 0), {"train": 0.8, "val": 0.3})
        Traceback (most recent call last):
            ...
        clickmask.decoder.errors.DatasetError: the shares 0.8 + 0.3 are not in [0, 1] or do not add up to 1
    """
    if not all(0 <= share <= 1 for share in shares.values()) or not math.isclose(sum(shares.values()), 1):
        listed = " + ".join(str(share) for share in shares.values())
        raise DatasetError(f"the shares {listed} are not in [0, 1] or do not add up to 1")
    counts: dict[str, int] = {}
    for annotated in dataset.images:
        counts[_group(annotated.image)] = counts.get(_group(annotated.image), 0) + 1
    ranked = sorted(counts, key=lambda group: hashlib.blake2b(f"{seed}:{group}".encode(errors="replace")).digest())
    return _cut(dataset, ranked, counts, shares)


@dataclass
class _Merging:
    """Ids and names in use while datasets are merged."""

    spool: Spool = field(default_factory=Spool)
    categories: dict[tuple[str, int], Category] = field(default_factory=dict)  # by name, and which of that name
    licenses: list[Mapping[str, Any]] = field(default_factory=list)
    images: dict[tuple[str, str | None], ImageRecord] = field(default_factory=dict)  # by file name and video
    category_ids: _Ids = field(default_factory=lambda: _Ids())
    image_ids: _Ids = field(default_factory=lambda: _Ids())
    object_ids: _Ids = field(default_factory=lambda: _Ids())

    def add(self, dataset: Dataset, on_problem: OnProblem, on_note: Tell) -> None:
        renamed = dict(self._renamed(dataset.categories))
        numbers = [(terms.get("id"), self._license_id(terms)) for terms in dataset.licenses]
        licenses = {there: here for there, here in numbers if isinstance(there, int | str)}
        for annotated in dataset.images:
            try:
                image = self._image(_relicensed(annotated.image, licenses), on_note)
            except DatasetError as problem:
                on_problem(problem)
                continue
            for item in annotated.objects:
                kept = replace(item, id=self.object_ids.take(item.id), category_id=renamed[item.category_id])
                self.spool.add_object(kept, image.id, image.file_name)

    def _renamed(self, categories: Sequence[Category]) -> Iterator[tuple[int, int]]:
        """Ids in the dataset and ids here."""
        seen: dict[str, int] = {}
        for category in categories:
            key = category.name, seen.get(category.name, 0)
            seen[category.name] = key[1] + 1
            if key not in self.categories:
                self.categories[key] = replace(category, id=self.category_ids.take(category.id))
            yield category.id, self.categories[key].id

    def _license_id(self, terms: Mapping[str, Any]) -> Any:
        """The id of these terms here: that of equal ones, else their own while it is free, else the next number."""
        words = {key: value for key, value in terms.items() if key != "id"}
        for known in self.licenses:
            if {key: value for key, value in known.items() if key != "id"} == words:
                return known.get("id")
        taken = [known.get("id") for known in self.licenses]
        number = terms.get("id")
        if number in taken:
            number = max((one for one in taken if isinstance(one, int)), default=0) + 1
        self.licenses.append({**terms, "id": number} if "id" in terms else terms)
        return number

    def _image(self, image: ImageRecord, on_note: Tell) -> ImageRecord:
        known = self.images.get((image.file_name, image.video))
        if known is not None:
            if known.size != image.size:
                raise DatasetError(
                    f"image {image.file_name} comes as {known.size} and as {image.size}, wanted one size"
                )
            on_note("images that came more than once, whose objects were united", image.file_name)
            return known
        known = replace(image, id=self.image_ids.take(image.id))
        self.images[image.file_name, image.video] = replace(known, extras={})
        self.spool.add_image(known, image.file_name)
        return known


def _relicensed(image: ImageRecord, licenses: Mapping[Any, Any]) -> ImageRecord:
    """The image with the number its license has here."""
    number = image.extras.get("license")
    if not isinstance(number, int | str) or licenses.get(number, number) == number:
        return image
    return replace(image, extras={**image.extras, "license": licenses[number]})


class _Ids:
    """Hands out ids: the wanted one while it is free, else the next after the highest."""

    def __init__(self) -> None:
        self._used: set[int] = set()
        self._highest = 0

    def take(self, wanted: int) -> int:
        taken = self._highest + 1 if wanted in self._used else wanted
        self._used.add(taken)
        self._highest = max(self._highest, taken)
        return taken


def _group(image: ImageRecord) -> str:
    return image.file_name if image.video is None else f"video {image.video}"


def _cut(
    dataset: Dataset, ranked: Sequence[str], counts: Mapping[str, int], shares: Mapping[str, float]
) -> dict[str, Dataset]:
    parts: dict[str, Dataset] = {}
    start, total = 0, 0.0
    for name, share in shares.items():
        total += share
        end = round(total * len(ranked))
        groups = frozenset(ranked[start:end])
        count = sum(counts[group] for group in groups)
        parts[name] = replace(dataset, images=_Part(dataset, groups), image_count=count)
        start = end
    return parts


@dataclass(frozen=True, slots=True)
class _Part:
    """The images of some groups; iterate again to pass over the dataset again."""

    dataset: Dataset
    groups: frozenset[str]

    def __iter__(self) -> Iterator[AnnotatedImage]:
        return (annotated for annotated in self.dataset.images if _group(annotated.image) in self.groups)
