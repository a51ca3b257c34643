"""One accepted object, one key, and the others are proposed; then on the next picture."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.decoder.similar.discs import PLACES, draw
from tests.e2e_web.conftest import OpenDesk


@pytest.fixture
def folder(root: Path) -> Path:
    """Three pictures of five red discs each."""
    place = root / "discs"
    place.mkdir()
    for number in range(3):
        draw(place / f"{number}.png", number)
    return place


def test_the_others_of_an_object_are_kept_and_dropped_and_found_on_the_next_picture(open_desk: OpenDesk) -> None:
    desk = open_desk()
    bar = desk.page.locator(".cm-candidates")
    desk.press("n")
    desk.until_toast("Accept an object first")
    desk.click(*PLACES[0])
    desk.until_mask()
    desk.accept()
    desk.press("n")
    desk.until("app.similar.isOn && state.proposals.length >= 3 && !app.proposals.run")
    count = desk.get("state.proposals.length")
    expect(bar).to_contain_text(f"{count} more like it")
    worst = desk.get("app.similar.current.score")
    assert worst == desk.get("Math.min(...state.proposals.map(({ score }) => score))")
    assert desk.get("state.pointedProposal === app.similar.current.id")
    desk.press("Enter")  # keeps it
    desk.until("state.objects.length === 2 && !app.proposals.run")
    assert desk.get("state.objects[1].source") == "checked"
    assert desk.get("app.similar.examples.length") == 2
    desk.until("state.proposals.length > 0")
    desk.press("Delete")  # drops it
    desk.until("app.similar.refused.length === 1 && !app.proposals.run")
    refused = desk.get("app.similar.refused[0].runs")
    assert refused not in desk.get("state.proposals.map(({ mask }) => mask.text)")
    assert len(desk.objects()) == 2
    desk.press("Escape")
    desk.until("!app.similar.isOn && state.proposals.length === 0")
    desk.until_saved()
    desk.press("Shift+N")
    desk.page.get_by_role("dialog").get_by_role("textbox").fill("1")
    desk.press("Enter")
    desk.until_toast("found on 1 picture")
    desk.press("d")
    desk.until("state.picture.name === '1.png' && state.objects.length >= 3")
    assert set(desk.get("state.objects.map(({ source }) => source)")) == {"similar"}
    assert desk.get("state.pictures.find(({ name }) => name === '2.png').object_count") == 0
    left = len(desk.objects())
    desk.press("r")
    expect(bar).to_contain_text(f"1 of {left}")
    desk.press("Delete")
    desk.until(f"state.objects.length === {left - 1} && app.similar.refused.length === 2")
