"""Clicks answered by replicas: each picture is encoded by one, and nothing is lost as they come and go."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from clickmask.decoder import Engine, ImageSource, MaskRule, Model, Point, Prompt, RemoteEngine
from clickmask.decoder.cluster.remote import session_of
from clickmask.decoder.shapes import mask_iou
from tests.decoder.label.test_label import SQUARES, photo
from tests.ports import free_port

pytestmark = [pytest.mark.ray, pytest.mark.filterwarnings("ignore")]  # Ray warns of itself

DOCKER = Path(__file__).parents[3] / "docker"
PICTURES, CLICKS = 50, 1_000
QUICK = MaskRule(zoom=False)


def image(number: int) -> ImageSource:
    return ImageSource(f"picture {number}", partial(photo, number))


def click(seed: int) -> tuple[int, Prompt]:
    """A picture and a click on one of its two boxes."""
    chance = random.Random(seed)
    box = chance.choice(SQUARES)
    point = Point(chance.uniform(box.x0 + 5, box.x1 - 5), chance.uniform(box.y0 + 5, box.y1 - 5))
    return seed % PICTURES, Prompt(points=(point,))


@pytest.fixture(scope="module")
def port(cluster: Any) -> Iterator[int]:
    from ray import serve

    port = free_port()
    serve.start(http_options={"host": "127.0.0.1", "port": port})
    yield port
    serve.shutdown()


def deploy(replicas: int) -> None:
    """As ``serve deploy`` does, with another number of replicas."""
    from ray.serve.context import _get_global_client
    from ray.serve.schema import ServeDeploySchema

    config = yaml.safe_load((DOCKER / "serve.yaml").read_text())
    config["applications"][0]["deployments"][0]["num_replicas"] = replicas
    _get_global_client().deploy_apps(ServeDeploySchema.model_validate(config), _blocking=True)


@pytest.fixture
def engine(port: int, nano: Model) -> Iterator[RemoteEngine]:
    from ray import serve

    deploy(2)
    remote = RemoteEngine(f"ray://127.0.0.1:{port}", "nano", lambda: nano)
    yield remote
    remote.close()
    serve.delete("clickmask")


def replicas(engine: RemoteEngine, count: int) -> dict[str, int]:
    """Every replica with how many pictures it encoded."""
    found: dict[str, int] = {}
    end = time.monotonic() + 60
    while len(found) < count and time.monotonic() < end:
        described = engine.describe(session_of(str(random.random())))
        found[described["replica"]] = described["encoded"]
    return found


def homes(engine: RemoteEngine) -> list[str]:
    """The replica of each picture."""
    return [engine.describe(session_of(image(number).key))["replica"] for number in range(PICTURES)]


def ask_all(engine: RemoteEngine, clicks: int, meanwhile: Callable[[int], None] = lambda done: None) -> list[Any]:
    """The answers to many clicks, asked four at a time."""

    def ask(seed: int) -> Any:
        number, prompt = click(seed)
        meanwhile(seed)
        return engine.segment(image(number), prompt, QUICK)

    with ThreadPoolExecutor(4) as people:
        return list(people.map(ask, range(clicks)))


def test_each_picture_is_encoded_once(engine: RemoteEngine, nano: Model) -> None:
    answers = ask_all(engine, CLICKS)
    encoded = replicas(engine, 2)
    assert len(encoded) == 2
    assert all(count > 0 for count in encoded.values())
    assert sum(encoded.values()) <= PICTURES + 2
    assert engine.affinity >= 0.99
    here = Engine(nano)
    for seed in range(0, CLICKS, 100):
        number, prompt = click(seed)
        wanted = here.segment(image(number), prompt, QUICK)
        assert mask_iou(answers[seed].mask(), wanted.mask()) > 0.999
        assert answers[seed].score == pytest.approx(wanted.score, abs=1e-4)


def test_a_replica_that_is_killed_loses_no_answer(engine: RemoteEngine) -> None:
    ask_all(engine, PICTURES)
    before = homes(engine)
    killed: list[int] = []

    def kill_one(seed: int) -> None:
        if seed == 100:
            killed.extend(_replica_processes()[:1])
            os.kill(killed[0], signal.SIGKILL)

    answers = ask_all(engine, 300, kill_one)
    assert killed
    assert all(answer.mask().any() for answer in answers)
    encoded, after = replicas(engine, 2), homes(engine)
    (survivor,), (new,) = set(before) & set(after), set(after) - set(before)
    assert encoded[survivor] <= PICTURES
    assert encoded[new] <= after.count(new)


def test_a_third_replica_takes_less_than_half_of_the_pictures(engine: RemoteEngine) -> None:
    replicas(engine, 2)
    before = homes(engine)
    deploy(3)
    assert len(replicas(engine, 3)) == 3
    after = homes(engine)
    moved = [new for old, new in zip(before, after, strict=True) if old != new]
    assert len(moved) <= 0.45 * PICTURES
    assert not set(moved) & set(before)  # to the new one, never from one old to the other


def test_chained_clicks_and_everything_are_those_of_one_process(engine: RemoteEngine, nano: Model) -> None:
    here = Engine(nano)
    points = (Point(40, 45), Point(25, 25), Point(100, 10, positive=False))
    for count in (1, 2, 3):
        prompt = Prompt(points=points[:count])
        near, far = (one.chain.segment(image(1), prompt, MaskRule()) for one in (here, engine))
        assert mask_iou(near.mask(), far.mask()) > 0.999
    drawn = Prompt(points=points[:1], mask=np.ones((120, 160), bool), mask_logits=None)
    assert mask_iou(engine.segment(image(1), drawn).mask(), here.segment(image(1), drawn).mask()) > 0.999
    assert engine.image_size(image(2)) == here.image_size(image(2))
    far_found, near_found = (one.segment_everything(image(2)) for one in (engine, here))
    assert [mask.box for mask in far_found] == [mask.box for mask in near_found]


def _replica_processes() -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if path.read_bytes().startswith(b"ray::ServeReplica"):
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found
