"""An engine on other machines, asked as one in this process: ``--engine ray://HOST:8000``.

The address is that of Ray Serve's proxy; nothing of Ray is needed on this side. Pixels go over the network once for
each replica that holds the picture. An answer is a pure function of what is asked, so what was lost with a replica is
asked again.
"""

from __future__ import annotations

import hashlib
import threading
import time
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import cached_property
from importlib.metadata import version
from typing import Any

import httpx

from clickmask.decoder.auto.found import FoundMask
from clickmask.decoder.auto.generate import Progress, ignore_progress
from clickmask.decoder.auto.settings import AutoSettings
from clickmask.decoder.cluster import wire
from clickmask.decoder.errors import ClusterError, PromptError
from clickmask.decoder.images import ImageSource
from clickmask.decoder.mask_rule import DEFAULT_RULE, MaskRule
from clickmask.decoder.models import MODELS, Model
from clickmask.decoder.prompts import Prompt, Size

SCHEME = "ray://"
SESSION_HEADER = "x-session-id"  # Ray Serve's router sends equal values to one replica
ANSWER_SECONDS = 600.0  # of segmenting everything; a click takes a fraction of a second
CONNECT_SECONDS = 5.0
RETRY_SECONDS = 30.0  # in which a replica that died is replaced
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 2.0  # [s]
KNOWN = 10_000  # pictures whose size and replica are kept here


def session_of(image_key: str) -> str:
    """What sends all requests of a picture to one replica; fit for a header."""
    return hashlib.sha256(image_key.encode()).hexdigest()


class RemoteEngine:
    """Decoders on a Ray cluster; any number of threads may ask. See ``Engine``.

    Args:
        address: Such as ``ray://head:8000``.
        model_name: The model that is wanted; the cluster must serve it.
        load_model: Loads it here, when objects are to be followed.
        retry_seconds: How long what fails is asked again.

    Raises:
        ClusterError: If the address is none, nobody answers there, or the cluster has another version or model.
    """

    def __init__(
        self, address: str, model_name: str, load_model: Callable[[], Model], retry_seconds: float = RETRY_SECONDS
    ) -> None:
        self._asker = _Asker(address, retry_seconds)
        weakref.finalize(self, self._asker.close)
        self._load_model = load_model
        self._seen = _Seen()
        self._waiting = 0
        self._lock = threading.Lock()
        try:
            described = self._checked(self.describe(), model_name)
        except BaseException:
            self.close()
            raise
        self._wants_zoom = bool(described["wants_zoom"])
        self.chain = RemoteChain(self)

    @cached_property
    def model(self) -> Model:
        """The model, loaded in this process: to follow objects with."""
        return self._load_model()

    @property
    def wants_zoom(self) -> bool:
        """See ``Engine``."""
        return self._wants_zoom

    @property
    def affinity(self) -> float:
        """Of the requests for pictures that were asked for before, the share answered where they were then; 0 to 1."""
        return self._seen.affinity

    def describe(self, session: str = "") -> wire.Fields:
        """What a replica says of itself: version, model, and how many pictures it has encoded.

        Raises:
            ClusterError: If nobody answers.
        """
        reply = self._reply(session, wire.pack({"what": "describe"}))
        described: wire.Fields = {**reply["result"], "replica": reply["replica"]}
        return described

    def segment(self, image: ImageSource, prompt: Prompt, how: MaskRule = DEFAULT_RULE) -> wire.RemoteAnswer:
        """See ``Engine``.

        Raises:
            ClusterError: If nobody answers.
        """
        fields = {"what": "segment", "prompt": wire.prompt_fields(prompt), "how": wire.rule_fields(how)}
        return wire.read_answer(self.ask(image, fields))

    def segment_everything(
        self, image: ImageSource, settings: AutoSettings | None = None, progress: Progress = ignore_progress
    ) -> list[FoundMask]:
        """See ``Engine``; progress is told at the end only.

        Raises:
            ClusterError: If nobody answers.
        """
        found = self.ask(image, {"what": "everything", "settings": None if settings is None else asdict(settings)})
        progress(1.0)
        return [wire.read_found(mask) for mask in found]

    def encode(self, image: ImageSource) -> bool:
        """See ``Engine``.

        Raises:
            ClusterError: If nobody answers.
        """
        return bool(self.ask(image, {"what": "encode"})["was_cached"])

    def image_size(self, image: ImageSource) -> Size:
        """See ``Engine``; asked once for each picture.

        Raises:
            ClusterError: If nobody answers.
        """
        known = self._seen.size(image.key)
        if known is not None:
            return known
        size = Size(*self.ask(image, {"what": "encode"})["size"])
        self._seen.keep_size(image.key, size)
        return size

    def is_cached(self, image_key: str) -> bool:
        """Whether a replica held the picture when it was asked last."""
        return image_key in self._seen

    def has_pixels(self, image_key: str) -> bool:
        """As ``is_cached``: where a replica holds the picture, nothing loads it here."""
        return image_key in self._seen

    def waiting(self) -> int:
        """How many requests are not answered yet."""
        return self._waiting

    def close(self) -> None:
        """Close the connections."""
        self._asker.close()

    def ask(self, image: ImageSource, fields: wire.Fields) -> Any:
        """Ask something of a picture, with its pixels only if the replica wants them.

        Raises:
            ClickMaskError: What the replica says is wrong with the request.
            ClusterError: If nobody answers.
        """
        message = {**fields, "key": image.key}
        session = session_of(image.key)
        with self._counted():
            reply = self._reply(session, wire.pack(message))
            if "pixels_needed" in reply:
                reply = self._reply(session, wire.pack(message, image.load()))
        self._seen.answered(image.key, reply["replica"])
        if "error" in reply:
            raise wire.read_error(reply["error"])
        if "result" not in reply:
            raise ClusterError("two replicas in turn did not hold the picture: the cluster changes, ask again")
        return reply["result"]

    def _checked(self, described: wire.Fields, model_name: str) -> wire.Fields:
        address, here = self._asker.address, version("clickmask")
        if described["clickmask"] != here:
            raise ClusterError(f"the engine at {address} is ClickMask {described['clickmask']}, wanted {here}")
        if model_name in MODELS and described["model"] != model_name:
            raise ClusterError(f"the engine at {address} serves {described['model']}, wanted {model_name}")
        return described

    def _reply(self, session: str, message: bytes) -> wire.Fields:
        data = self._asker.post(session, message)
        try:
            return wire.unpack(data)[0]
        except PromptError:
            raise ClusterError(f"{self._asker.address} answers with something else: is it ClickMask's?") from None

    @contextmanager
    def _counted(self) -> Iterator[None]:
        with self._lock:
            self._waiting += 1
        try:
            yield
        finally:
            with self._lock:
                self._waiting -= 1


class RemoteChain:
    """The chain of clicks of the replica that holds a picture; see ``ClickChain``."""

    def __init__(self, engine: RemoteEngine) -> None:
        self._engine = engine

    def segment(
        self, image: ImageSource, prompt: Prompt, how: MaskRule = DEFAULT_RULE, how_before: MaskRule | None = None
    ) -> wire.RemoteAnswer:
        """See ``ClickChain``.

        Raises:
            ClusterError: If nobody answers.
        """
        rules = {"how": wire.rule_fields(how), "how_before": wire.rule_fields(how_before)}
        return wire.read_answer(
            self._engine.ask(image, {"what": "chain", "prompt": wire.prompt_fields(prompt), **rules})
        )


class _Seen:
    """What is known of the pictures asked for last: their sizes, and which replica answered."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sizes: OrderedDict[str, Size] = OrderedDict()
        self._replicas: OrderedDict[str, str] = OrderedDict()
        self._again = self._stayed = 0

    def __contains__(self, key: str) -> bool:
        with self._lock:
            return key in self._replicas

    @property
    def affinity(self) -> float:
        """See ``RemoteEngine.affinity``; 1 before anything was asked twice."""
        return self._stayed / self._again if self._again else 1.0

    def size(self, key: str) -> Size | None:
        """Of a picture, if it is known."""
        with self._lock:
            return self._sizes.get(key)

    def keep_size(self, key: str, size: Size) -> None:
        """Note the size of a picture."""
        with self._lock:
            _keep(self._sizes, key, size)

    def answered(self, key: str, replica: str) -> None:
        """Note which replica answered."""
        with self._lock:
            before = self._replicas.get(key)
            if before is not None:
                self._again += 1
                self._stayed += before == replica
            _keep(self._replicas, key, replica)


def _keep(known: OrderedDict[str, Any], key: str, value: object) -> None:
    known[key] = value
    known.move_to_end(key)
    if len(known) > KNOWN:
        known.popitem(last=False)


class _Asker:
    """Sends messages to Ray Serve's proxy, again and again while replicas come and go."""

    def __init__(self, address: str, retry_seconds: float) -> None:
        host = address.removeprefix(SCHEME).strip("/")
        if not address.startswith(SCHEME) or not host:
            raise ClusterError(f"{address!r} is no address of an engine, wanted one like ray://head:8000")
        self.address = address
        self._retry_seconds = retry_seconds
        try:
            self._http = httpx.Client(
                base_url=f"http://{host}",
                timeout=httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS),
                limits=httpx.Limits(max_connections=256, max_keepalive_connections=64),
                trust_env=False,
            )
        except (httpx.InvalidURL, ValueError) as error:
            raise ClusterError(f"{address!r} is no address of an engine: {error}") from None

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def post(self, session: str, message: bytes) -> bytes:
        """Send a message to the replica of a session and return what it answers."""
        headers = {SESSION_HEADER: session} if session else {}
        end, pause = time.monotonic() + self._retry_seconds, FIRST_PAUSE
        while True:
            try:
                response = self._http.post("/", content=message, headers=headers)
                if response.status_code == httpx.codes.OK:
                    return response.content
                wrong = f"answers {response.status_code}: {response.text[:200]}"
                if response.status_code < 500:
                    raise ClusterError(f"the engine at {self.address} {wrong}; is the decoder deployed there?")
            except httpx.TransportError as error:
                wrong = f"cannot be reached: {error}"
            if time.monotonic() + pause > end:
                raise ClusterError(f"the engine at {self.address} {wrong}")
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
