"""The engine: encodes once, answers everyone alike, and remembers on disk if asked to."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from time import sleep

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor

from clickmask.decoder import (
    AutoSettings,
    Box,
    Engine,
    ImageSource,
    MaskRule,
    Model,
    Point,
    Prompt,
    PromptError,
    Size,
    binarize,
    check_prompt,
    encode_image,
    predict_masks,
)
from clickmask.decoder import engine as engine_module
from clickmask.decoder import segment as segment_module
from clickmask.decoder.modeling.mask_decoder import DecoderOutput, ImageFeatures
from clickmask.decoder.optimize import optimize
from clickmask.decoder.shapes import mask_iou
from tests.plugin.discs import DiscNetwork, disc_model

Image = NDArray[np.uint8]


def squares(seed: int) -> Image:
    """A bright square on a dark ground, somewhere."""
    image = np.full((120, 160, 3), 40, np.uint8)
    left = 10 + 20 * seed
    image[30:80, left : left + 50] = (220, 180, 60)
    return image


def never() -> Image:
    """For images that must not be loaded."""
    raise AssertionError("the image was loaded again")


def source(seed: int, key: str = "a") -> ImageSource:
    """One of the images by name."""
    return ImageSource(key, lambda: squares(seed))


KNOWN = ImageSource("a", never)
PLAIN = MaskRule(zoom=False)


def test_an_image_is_loaded_once(nano: Model) -> None:
    engine = Engine(nano)
    assert not engine.is_cached("a")
    first = engine.segment(source(1), Prompt(points=(Point(50, 50),)))
    again = engine.segment(KNOWN, Prompt(points=(Point(50, 50),)))
    assert (first.cache_hit, again.cache_hit) == (False, True)
    assert torch.equal(first.logits, again.logits)
    assert engine.is_cached("a")


def test_the_answer_is_that_of_the_pure_steps(nano: Model) -> None:
    prompt = Prompt(points=(Point(50, 50),))
    answer = Engine(nano).segment(source(1), prompt, MaskRule(2, zoom=False))
    model = optimize(nano)
    pure = predict_masks(model, encode_image(model, squares(1)), prompt)
    assert torch.equal(answer.logits, pure.logits)
    assert answer.chosen == 2
    assert answer.score == pytest.approx(float(pure.predicted_iou[2]))
    assert answer.mask().shape == (120, 160)


def test_many_threads_get_the_answers_of_one(nano: Model) -> None:
    """Clicks of several users share batches; nobody gets another's image or mask."""
    jobs = [(str(n % 3), n % 3, Prompt(points=(Point(20 + 2 * n, 50),))) for n in range(48)]
    quiet = Engine(nano)
    alone = [quiet.segment(source(seed, key), prompt, PLAIN) for key, seed, prompt in jobs]
    busy = Engine(nano)
    with ThreadPoolExecutor(16) as threads:
        together = list(threads.map(lambda job: busy.segment(source(job[1], job[0]), job[2], PLAIN), jobs))
    for one, other in zip(alone, together, strict=True):
        torch.testing.assert_close(one.logits, other.logits, atol=1e-3, rtol=1e-4)


class GatedNetwork(DiscNetwork):
    """Stays in its first decoding until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.entered, self.gate = Event(), Event()

    def decode(
        self, features: ImageFeatures, points: Tensor, labels: Tensor, mask_logits: Tensor | None
    ) -> DecoderOutput:
        """Wait, then answer."""
        self.entered.set()
        assert self.gate.wait(60)
        return super().decode(features, points, labels, mask_logits)


def test_a_bad_prompt_joins_no_batch() -> None:
    """It is refused before it waits for the device with other people's: in their batch it would fail them all."""
    network = GatedNetwork()
    engine = Engine(Model("gated", network, torch.device("cpu"), torch.float32, "gated"))
    engine.encode(source(1))
    bad, good = Prompt(points=(Point(500, 50),)), Prompt(points=(Point(50, 50),))
    with ThreadPoolExecutor(3) as threads:
        first = threads.submit(engine.segment, KNOWN, good, PLAIN)
        assert network.entered.wait(60)
        refused = threads.submit(engine.segment, KNOWN, bad, PLAIN)
        behind = threads.submit(engine.segment, KNOWN, good, PLAIN)
        while engine.waiting() < 2 and not (engine.waiting() == 1 and refused.done()):
            sleep(0.001)
        network.gate.set()
        assert isinstance(refused.exception(), PromptError)
        assert np.array_equal(first.result().mask(), behind.result().mask())


def test_embeddings_on_disk_survive_a_restart(nano: Model, tmp_path: Path) -> None:
    prompt = Prompt(points=(Point(50, 50),))
    first = Engine(nano, store_folder=tmp_path).segment(source(1), prompt, PLAIN)
    restarted = Engine(nano, store_folder=tmp_path)
    assert restarted.is_cached("a")
    assert torch.equal(first.logits, restarted.segment(KNOWN, prompt, PLAIN).logits)


def test_a_broken_file_in_the_store_is_made_again(nano: Model, tmp_path: Path) -> None:
    Engine(nano, store_folder=tmp_path).encode(source(1))
    for file in tmp_path.iterdir():
        file.write_bytes(file.read_bytes()[:100])
    assert Engine(nano, store_folder=tmp_path).encode(source(1)) is False


@pytest.mark.parametrize("at", [0.1, 0.5, -1])
def test_a_stored_embedding_with_a_flipped_byte_is_told_and_made_again(
    at: float, nano: Model, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A disk that loses a bit would otherwise change masks without a word."""
    prompt = Prompt(points=(Point(50, 50),))
    first = Engine(nano, store_folder=tmp_path).segment(source(1), prompt, PLAIN)
    (file,) = tmp_path.iterdir()
    content = bytearray(file.read_bytes())
    content[-1 if at < 0 else int(at * len(content))] ^= 1
    file.write_bytes(content)
    restarted = Engine(nano, store_folder=tmp_path)
    again = restarted.segment(source(1), prompt, PLAIN)
    assert "its image is encoded again: its checksum is" in caplog.text
    assert torch.equal(first.logits, again.logits)
    caplog.clear()
    assert torch.equal(first.logits, Engine(nano, store_folder=tmp_path).segment(KNOWN, prompt, PLAIN).logits)
    assert caplog.text == ""


def test_a_prompt_is_checked_once_a_click(nano: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was looked at up to five times, each time all 65,536 logits of its mask."""
    checked: list[Prompt] = []

    def counted(prompt: Prompt, size: Size) -> Prompt:
        checked.append(prompt)
        return check_prompt(prompt, size)

    for module in (engine_module, segment_module):
        monkeypatch.setattr(module, "check_prompt", counted)
    engine = Engine(nano)
    for click in ((Point(50, 50),), (Point(50, 50), Point(60, 60))):
        checked.clear()
        engine.chain.segment(source(1), Prompt(points=click), MaskRule(zoom=True))
        assert len(checked) == 1


def test_a_file_without_a_size_in_the_store_counts_as_absent(nano: Model, tmp_path: Path) -> None:
    Engine(nano, store_folder=tmp_path).encode(source(1))
    for file in tmp_path.iterdir():
        save_file(load_file(file), file)
    assert Engine(nano, store_folder=tmp_path).encode(source(1)) is False


def test_a_second_look_sharpens_a_small_thing(nano: Model) -> None:
    """A disc of 30 px in a 1200 px picture is a handful of cells for the network; on a crop it is round."""
    y, x = np.mgrid[:900, :1200]
    disc = (x - 300) ** 2 + (y - 600) ** 2 < 30**2
    image = np.where(disc[..., None], np.uint8(220), np.uint8(50)).repeat(3, axis=2)
    prompt = Prompt(points=(Point(300, 600), Point(420, 600, positive=False)))
    engine = Engine(nano)

    def iou(mask: NDArray[np.bool_]) -> float:
        return float((mask & disc).sum() / (mask | disc).sum())

    plain = engine.segment(ImageSource("a", lambda: image), prompt, PLAIN)
    close = engine.segment(KNOWN, prompt)
    assert close.zoomed is not None
    assert iou(close.mask()) > max(0.85, iou(plain.mask()))
    assert np.array_equal(close.mask(3), plain.mask(3)) or close.chosen == 3
    assert plain.mask_prompt.equal(plain.logits[plain.chosen])
    handed_on = binarize(close.mask_prompt, close.size)
    assert (handed_on & close.mask()).sum() / (handed_on | close.mask()).sum() > 0.85  # on 256x256 cells


def test_a_box_around_something_tiny_is_looked_at_where_it_is(nano: Model) -> None:
    """A disc of 14 px in a 2400 px picture is less than a cell for the network."""
    y, x = np.mgrid[:1800, :2400]
    disc = (x - 1210) ** 2 + (y - 620) ** 2 < 14**2
    image = np.where(disc[..., None], np.uint8(220), np.uint8(50)).repeat(3, axis=2)
    image[::40] = image[:, ::40] = 120  # a busy picture
    image[disc] = 220
    answer = Engine(nano).segment(ImageSource("a", lambda: image), Prompt(box=Box(1196, 606, 1225, 635)))
    mask = answer.mask()
    assert (mask & disc).sum() / (mask | disc).sum() > 0.8
    handed_on = binarize(answer.mask_prompt, answer.size)
    assert (handed_on & disc).sum() / (handed_on | disc).sum() > 0.5  # cells of 9 px


def test_everything_is_found_without_a_click(nano: Model) -> None:
    shares: list[float] = []
    settings = AutoSettings(points_per_side=8, min_predicted_iou=0.3, min_stability=0.3)
    found = Engine(nano).segment_everything(source(1), settings, shares.append)
    square = squares(1)[:, :, 0] > 128
    overlaps = [(square & mask.mask()).sum() / (square | mask.mask()).sum() for mask in found]
    assert max(overlaps) > 0.8
    assert shares[-1] == 1.0
    assert shares == sorted(shares)


def test_a_second_look_knows_where_the_image_ends(nano: Model) -> None:
    """A box drawn out of the picture was looked at whole: the window grew, and edges were moved to fill it."""
    image = squares(0)
    height, width = image.shape[:2]
    engine = Engine(nano)
    outside, inside = (
        engine.segment(ImageSource("a", lambda: image), Prompt(box=box))
        for box in (Box(-5 * width, -5 * height, width / 3, height / 3), Box(0, 0, width / 3, height / 3))
    )
    assert inside.zoomed is not None
    assert outside.zoomed is not None
    assert outside.zoomed.window == inside.zoomed.window
    assert (outside.mask() == inside.mask()).all()


def test_a_view_is_looked_at_first(nano: Model) -> None:
    """A disc of 40 px in a picture of 2400 px, and what is around it on the screen: as good as a photo of its own."""
    y, x = np.mgrid[:1800, :2400]
    disc = (x - 1210) ** 2 + (y - 620) ** 2 < 40**2
    image = np.where(disc[..., None], np.uint8(220), np.uint8(50)).repeat(3, axis=2)
    image[::40] = image[:, ::40] = 120  # a busy picture
    image[disc] = 220
    engine, picture = Engine(nano), ImageSource("a", lambda: image)
    click = (Point(1210, 620),)
    seen = engine.segment(picture, Prompt(points=click, view=Box(1120, 550, 1300, 690)))
    assert seen.view is not None
    mask = seen.mask()
    assert mask.shape == (1800, 2400)
    assert (mask & disc).sum() / (mask | disc).sum() > 0.8
    assert seen.mask(1).shape == mask.shape
    all_of_it = engine.segment(picture, Prompt(points=click, view=Box(0, 0, 2400, 1800)))
    assert all_of_it.view is None
    assert np.array_equal(all_of_it.mask(), engine.segment(picture, Prompt(points=click)).mask())


def test_a_correction_in_a_view_keeps_what_is_outside(nano: Model) -> None:
    image = np.random.default_rng(0).integers(0, 255, (600, 800, 3), np.uint8)
    drawn = np.zeros((600, 800), np.bool_)
    drawn[50:500, 50:700] = True
    engine, picture = Engine(nano), ImageSource("a", lambda: image)
    prompt = Prompt(points=(Point(300, 300, positive=False),), mask=drawn, view=Box(200, 200, 400, 400))
    corrected = engine.segment(picture, prompt)
    assert corrected.view is not None
    mask = corrected.mask()
    assert not mask[300, 300]
    changed = np.argwhere(mask != drawn)
    view = corrected.view
    assert changed.min(axis=0).tolist() >= [view.top, view.left]
    assert (changed[:, 0] < view.bottom).all()
    assert (changed[:, 1] < view.right).all()


@pytest.mark.parametrize(("network", "zooms"), [("nano", True), ("discs", False)])
def test_only_a_model_that_wants_it_gets_a_second_look(nano: Model, network: str, zooms: bool) -> None:
    """Without a word from the caller: SAM 2's fine masks cost no further encoding."""
    engine = Engine(nano if network == "nano" else disc_model())
    answer = engine.segment(source(1), Prompt(points=(Point(50, 50),)))
    assert engine.wants_zoom is zooms
    assert (answer.zoomed is not None) is zooms


def drawn(width: int, height: int, middle: tuple[int, int], radius: int) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """A disc on noise, and where it is."""
    noise = np.random.default_rng(0).integers(60, 120, (-(-height // 16), -(-width // 16), 3), dtype=np.uint8)
    pixels = cv2.resize(noise, (width, height), interpolation=cv2.INTER_NEAREST)
    cv2.circle(pixels, middle, radius, (220, 90, 40), -1)
    truth = cv2.circle(np.zeros((height, width), np.uint8), middle, radius, 1, -1)
    return np.asarray(pixels, np.uint8), np.asarray(truth, np.bool_)


def test_a_click_on_a_small_thing_of_a_huge_picture_is_answered_in_its_tile(nano: Model) -> None:
    pixels, truth = drawn(12_000, 9_000, (3_200, 7_100), 30)
    engine, picture = Engine(nano), ImageSource("huge", lambda: pixels)
    answer = engine.chain.segment(picture, Prompt(points=(Point(3_200, 7_100),)))
    assert mask_iou(answer.mask(), truth) > 0.85
    assert answer.view is not None
    assert answer.view.area < 2_000**2
    assert engine.has_pixels("huge")  # the next click reads no file


def test_what_is_larger_than_a_tile_is_answered_on_the_whole_picture(nano: Model) -> None:
    pixels, truth = drawn(4_800, 4_200, (2_400, 2_000), 1_000)
    answer = Engine(nano).segment(ImageSource("large", lambda: pixels), Prompt(points=(Point(2_400, 2_000),)))
    assert mask_iou(answer.mask(), truth) > 0.85
