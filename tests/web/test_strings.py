"""Every English word of the page is in one file, and every one of them is used."""

from __future__ import annotations

import re

import pytest

from clickmask.web.page_files import STATIC

STRINGS = STATIC / "shared/strings.js"
SOURCES = {
    file.relative_to(STATIC).as_posix(): file.read_text("utf-8") for file in STATIC.rglob("*.js") if file != STRINGS
}
LITERAL = re.compile(r'"([^"\n]*)"|`([^`]*)`')
WORDS = re.compile(r"[A-Z][a-z]+ [a-z]+|\b[a-z]+ [a-z]+ [a-z]+\b|^[A-Z][a-z]+$")
NOT_SHOWN = re.compile(
    r"^(Alt|AltGraph|Arrow\w*|Backspace|Dead|Meta|Process|Unidentified|Control|Delete|End|Enter|Escape|Failure|Home|ImageError|Offline|ConflictError|PromptError|Tab)$"
)
KEYS = {"Esc", "Space", "Home", "End", "Del", "Ctrl", "Shift", "Enter"}  # as they are printed on the keyboard


def names_of(table: str) -> set[str]:
    """The first-level names in one of the tables of strings."""
    text = STRINGS.read_text("utf-8")
    body = text[text.index(f"export const {table} = {{") :]
    return set(re.findall(r"^  (\w+):", body[: body.index("\n};")], re.MULTILINE))


@pytest.mark.parametrize("table", ["TEXT", "VIDEO"])
def test_every_string_is_there_and_used(table: str) -> None:
    used = {name for source in SOURCES.values() for name in re.findall(rf"\b{table}\.(\w+)", source)}
    assert used == names_of(table)


@pytest.mark.parametrize("script", SOURCES)
def test_no_other_script_has_words_for_persons(script: str) -> None:
    code = re.sub(r"(^|\s)//.*", "", SOURCES[script])
    found = ["".join(match) for match in LITERAL.findall(code)]
    words = [text for text in found if WORDS.search(re.sub(r"\$\{[^}]*\}", "", text))]
    assert [text for text in words if not NOT_SHOWN.match(text) and text not in KEYS and "cm-" not in text] == []
