"""The page learns from a folder's objects, by the real process, and tells what came of it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from playwright.sync_api import expect

from clickmask.decoder import load_model
from clickmask.decoder.learning.adapter import Adapter, blank_tensors
from clickmask.web.photos.learning import versions_of
from tests.decoder.learning.objects import outcome
from tests.e2e_web.conftest import OpenDesk
from tests.web.photos import open_library

pytestmark = pytest.mark.e2e


def test_a_few_objects_teach_too_little_and_what_was_learned_can_be_taken_back(
    open_desk: OpenDesk, folder: Path, tmp_path: Path
) -> None:
    nano = load_model("nano")
    library = open_library(folder, tmp_path / "home")
    versions = versions_of(library.folder(str(folder)))
    library.close()
    tensors = blank_tensors(nano, torch.Generator().manual_seed(0))
    versions.keep(outcome(before=4.1, after=2.9), Adapter(versions.project, nano.fingerprint, tensors))

    desk = open_desk()
    panel = desk.page.locator(".cm-learning")
    expect(panel).to_contain_text("Learned from 10 objects: 2.9 clicks instead of 4.1")
    panel.get_by_role("button", name="Learn from this folder").click()
    desk.until_toast("teach too little, wanted at least 10")
    panel.get_by_role("button", name=f"Take {versions.name(1)} back").click()
    expect(panel.get_by_role("button", name="Take")).to_have_count(0)
    assert versions.state().current == 0
