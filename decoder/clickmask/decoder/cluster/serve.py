"""The decoder as a deployment of Ray Serve: requests of one picture go to the replica that holds its embedding.

    serve deploy docker/serve.yaml

Every replica is an engine. Clicks that wait for its device together are decoded in one batch, as on one machine, so a
click never waits for a batch to fill. A replica asks for pixels only when it does not hold the picture.
"""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import version
from typing import Any, Protocol

from clickmask.decoder.auto.settings import AutoSettings
from clickmask.decoder.checkpoints import load_model
from clickmask.decoder.cluster import wire
from clickmask.decoder.engine import LARGEST_BATCH, Engine
from clickmask.decoder.errors import ClickMaskError, ClusterError, PromptError
from clickmask.decoder.images import ImageSource, Pixels
from clickmask.decoder.mask_rule import DEFAULT_RULE

DEPLOYMENT = "decoder"
ROUTER = "ray.serve.experimental.consistent_hash_router.ConsistentHashRouter"
ROUTER_OPTIONS = {"num_virtual_nodes": 100, "num_fallback_replicas": 1}
MEGABYTE = 2**20
OPTIONS: Mapping[str, str] = {  # name: default
    "model": "nano",
    "device": "auto",
    "precision": "float32",
    "cache_mb": "2000",
}


class PixelsNeededError(Exception):
    """The replica does not hold the picture."""


class HttpRequest(Protocol):
    """What Ray Serve hands over."""

    async def body(self) -> bytes:
        """What was sent."""


class Decoder:
    """One replica.

    Args:
        model: As of ``load_model``.
        device: Likewise.
        precision: Likewise.
        cache_mb: Memory for embeddings [MB].
    """

    def __init__(self, model: str, device: str, precision: Any, cache_mb: int) -> None:
        self._engine = Engine(load_model(model, device=device, precision=precision), cache_bytes=cache_mb * MEGABYTE)
        self._name = uuid.uuid4().hex
        self._counting = threading.Lock()
        self._encoded = 0

    async def __call__(self, request: HttpRequest) -> bytes:
        """Answer a request of ``RemoteEngine``, beside others."""
        return await asyncio.to_thread(self.answer, await request.body())

    def answer(self, data: bytes) -> bytes:
        """Answer a message: its result, an error a person can mend, or that pixels are needed."""
        try:
            fields, pixels = wire.unpack(data)
            reply = {"result": self._result(fields, pixels)}
        except PixelsNeededError:
            reply = {"pixels_needed": True}
        except ClickMaskError as error:
            reply = {"error": wire.error_fields(error)}
        except (KeyError, TypeError, ValueError) as error:
            reply = {"error": wire.error_fields(PromptError(f"the message is malformed: {error!r}"))}
        return wire.pack({**reply, "replica": self._name})

    def _result(self, asked: wire.Fields, pixels: Pixels | None) -> Any:
        if asked["what"] == "describe":
            return self._describe()
        image = ImageSource(asked["key"], lambda: _present(pixels))
        was_cached = self._encode(image)
        if asked["what"] == "encode":
            size = self._engine.image_size(image)
            return {"was_cached": was_cached, "size": [size.height, size.width]}
        if asked["what"] == "everything":
            settings = None if asked["settings"] is None else AutoSettings(**asked["settings"])
            return [asdict(found) for found in self._engine.segment_everything(image, settings)]
        prompt, how = wire.read_prompt(asked["prompt"]), wire.read_rule(asked["how"]) or DEFAULT_RULE
        if asked["what"] == "chain":
            answer = self._engine.chain.segment(image, prompt, how, wire.read_rule(asked["how_before"]))
        else:
            answer = self._engine.segment(image, prompt, how)
        return wire.answer_fields(answer) | {"cache_hit": was_cached}

    def _describe(self) -> wire.Fields:
        model = self._engine.model
        return {
            "clickmask": version("clickmask"),
            "model": model.name,
            "fingerprint": model.fingerprint,
            "wants_zoom": self._engine.wants_zoom,
            "encoded": self._encoded,
        }

    def _encode(self, image: ImageSource) -> bool:
        def load() -> Pixels:
            pixels = image.load()
            with self._counting:
                self._encoded += 1
            return pixels

        return self._engine.encode(ImageSource(image.key, load))


def _present(pixels: Pixels | None) -> Pixels:
    if pixels is None:
        raise PixelsNeededError
    return pixels


def build_app(given: Mapping[str, str]) -> Any:
    """The application, for the configs of Serve and KubeRay, which say how many replicas there are and where.

    Args:
        given: Any of ``OPTIONS``.

    Raises:
        ClusterError: If an option is unknown or no number where one is wanted.
    """
    from ray import serve
    from ray.serve.config import RequestRouterConfig

    unknown = sorted(set(given) - set(OPTIONS))
    if unknown:
        raise ClusterError(f"option {unknown[0]} of the decoder is unknown, wanted {', '.join(OPTIONS)}")
    options = {**OPTIONS, **given}
    deployment = serve.deployment(
        Decoder,
        name=DEPLOYMENT,
        max_ongoing_requests=2 * LARGEST_BATCH,
        request_router_config=RequestRouterConfig(
            request_router_class=ROUTER, request_router_kwargs=dict(ROUTER_OPTIONS)
        ),
    )
    cache_mb = _number(options, "cache_mb")
    return deployment.bind(str(options["model"]), str(options["device"]), str(options["precision"]), cache_mb)


def _number(options: Mapping[str, str], name: str) -> int:
    try:
        return int(options[name])
    except ValueError:
        raise ClusterError(f"option {name} of the decoder is {options[name]!r}, wanted a whole number") from None
