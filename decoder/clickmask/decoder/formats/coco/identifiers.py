"""Ids that may be texts, as some tools write them, as whole numbers."""

from __future__ import annotations

from clickmask.decoder.errors import DatasetError
from clickmask.decoder.formats.fields import Fields, integer, whole, wrong

MAX_LENGTH = 200  # of a text; ids are kept in memory


class Identifiers:
    """Gives every text one number per kind of record; whole numbers, also written as text, stay themselves."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, str], int] = {}

    def number(self, kind: str, fields: Fields, name: str, where: str) -> int:
        """Return the number of an id.

        Args:
            kind: Of the record that has this id.
            fields: The record that holds or mentions it.
            name: Of the field.
            where: Names the record in the error.

        Raises:
            DatasetError: If it is neither a whole number from 0 nor a text.
        """
        value = whole(fields.get(name))
        if not isinstance(value, str):
            return integer(fields, name, where)
        if not value or len(value) > MAX_LENGTH:
            raise wrong(where, name, value, "a number or a short text")
        return self._numbers.setdefault((kind, value), len(self._numbers) + 1)

    def known(self, kind: str, fields: Fields, name: str, where: str) -> int:
        """Return the number of an id that a record mentions, whose own record was read before.

        Raises:
            DatasetError: As ``number``, and if no record has this text.
        """
        value = whole(fields.get(name))
        if isinstance(value, str) and (kind, value) not in self._numbers:
            raise DatasetError(f"{where}: {name} is {value!r:.40}, which no {kind} has")
        return self.number(kind, fields, name, where)
