"""Read JSON files far larger than memory, one array element at a time.

Annotation files are objects of a few long arrays (COCO, YouTube-VIS) or one long array
(Label Studio). Elements are small; only one is held at a time, and a file is passed over once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

from clickmask.decoder.errors import DatasetError
from clickmask.decoder.formats.input import open_text, read_text
from clickmask.decoder.formats.output import temporary_text

CHUNK_CHARS = 1 << 18
MAX_ELEMENT_CHARS = 1 << 28  # a file whose one element is longer is broken (or an attack)
TOP_LEVEL = ""  # the key under which elements of a file that is one array are yielded
_SPACE = " \t\r\n"
_AFTER_NUMBER = frozenset(",]} \t\r\n")


class Element(NamedTuple):
    """A top-level value, or an element of a top-level array, with its key."""

    key: str
    value: Any
    in_array: bool


def read_elements(path: Path) -> Iterator[Element]:
    """Yield every element of every top-level array with its key, in the file's order.

    A top-level value that is not an array is yielded once with its key. A file that is one
    array yields its elements with the key ``TOP_LEVEL``.

    Raises:
        DatasetError: If the file cannot be read or is not JSON; elements before the broken
            place have been yielded by then.
    """
    with open_text(path) as file:
        yield from _Scanner(file, path).elements()


def read_elements_after(path: Path, late: str, needed: str) -> Iterator[Element]:
    """Yield elements as ``read_elements`` does, but those of one array only after another array began.

    Args:
        path: The JSON file.
        late: Key of the array whose elements refer to those of the other; where they come
            first in the file, they wait in a temporary file and are yielded at the end.
        needed: Key of the other array.

    Raises:
        DatasetError: As ``read_elements``.
    """
    began = False
    with temporary_text() as waiting:
        for element in read_elements(path):
            began = began or element.key == needed
            if element.key == late and not began:
                waiting.write(json.dumps(element.value) + "\n")
            else:
                yield element
        waiting.seek(0)
        for line in waiting:
            yield Element(late, json.loads(line), in_array=True)


def read_json(path: Path) -> Any:
    """Return a small JSON file's content.

    Raises:
        DatasetError: If the file cannot be read, is not JSON or is nested absurdly deep.
    """
    try:
        return json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"{path}: is not JSON: {error}") from None


class _Scanner:
    """A cursor over the text of a JSON file; ``text[position:]`` is what is still to read."""

    def __init__(self, file: IO[str], path: Path) -> None:
        self._file = file
        self._path = path
        self._text = ""
        self._position = 0
        self._offset = 0  # characters dropped from the front of the text so far
        self._decoder = json.JSONDecoder()

    def elements(self) -> Iterator[Element]:
        opening = self._peek()
        if opening == "[":
            yield from self._array(TOP_LEVEL)
        elif opening == "{":
            yield from self._object()
        else:
            raise self._broken(f"starts with {opening!r}" if opening else "is empty", "an object or an array")
        if self._peek():
            raise self._broken(f"goes on with {self._peek()!r}", "its end")

    def _object(self) -> Iterator[Element]:
        self._expect("{")
        while self._peek() != "}":
            key = self._value()
            if not isinstance(key, str):
                raise self._broken(f"has the key {key!r:.50}", "a string")
            self._expect(":")
            if self._peek() == "[":
                yield from self._array(key)
            else:
                yield Element(key, self._value(), in_array=False)
            self._comma_unless("}")
        self._expect("}")

    def _array(self, key: str) -> Iterator[Element]:
        self._expect("[")
        while self._peek() != "]":
            yield Element(key, self._value(), in_array=True)
            self._comma_unless("]")
        self._expect("]")

    def _comma_unless(self, closing: str) -> None:
        if self._peek() == closing:
            return
        self._expect(",")
        if self._peek() == closing:
            raise self._broken(f"has a comma before {closing!r}", "another element")

    def _peek(self) -> str:
        """The next character that is not space, or "" at the end."""
        while True:
            while self._position < len(self._text):
                if self._text[self._position] not in _SPACE:
                    return self._text[self._position]
                self._position += 1
            if not self._read_more(CHUNK_CHARS):
                return ""

    def _expect(self, character: str) -> None:
        if self._peek() != character:
            raise self._broken(f"has {self._peek() or 'its end'!r}", repr(character))
        self._position += 1

    def _value(self) -> Any:
        """Parse one value; more text is read until it is whole."""
        self._peek()
        amount = CHUNK_CHARS
        while True:
            try:
                value, end = self._decoder.raw_decode(self._text, self._position)
            except RecursionError:
                raise self._broken("is nested too deep", "an annotation") from None
            except ValueError as error:
                if not self._read_more(amount):
                    raise self._broken(f"is not JSON ({getattr(error, 'msg', error)})", "a value") from None
            else:
                if self._is_whole(value, end) or not self._read_more(amount):
                    self._position = end
                    return value
            amount *= 2  # so that parsing a long element again and again stays linear in its length

    def _is_whole(self, value: Any, end: int) -> bool:
        """A number may go on after the text read so far, even after one that ends in "1.5e"."""
        return self._text[end : end + 1] in _AFTER_NUMBER if isinstance(value, int | float) else True

    def _read_more(self, amount: int) -> bool:
        more = self._file.read(amount)
        if len(self._text) - self._position > MAX_ELEMENT_CHARS:
            raise self._broken(f"has an element of more than {MAX_ELEMENT_CHARS} characters", "shorter ones")
        self._offset += self._position
        self._text = self._text[self._position :] + more
        self._position = 0
        return bool(more)

    def _broken(self, got: str, wanted: str) -> DatasetError:
        place = self._offset + self._position
        return DatasetError(f"{self._path}: broken at character {place}: it {got}, wanted {wanted}")
