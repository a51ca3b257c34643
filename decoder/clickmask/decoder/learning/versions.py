"""What a project learned: one folder, every version kept, one of them in use.

``learning.json`` names the version in use and tells every outcome; ``3.safetensors`` is version 3. Both are written
whole or not at all, the version before the list, so a crash or a full disk leaves what was there.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from clickmask.decoder.errors import LearningError
from clickmask.decoder.files import whole_file
from clickmask.decoder.learning.outcome import Outcome

if TYPE_CHECKING:
    from clickmask.decoder.engine import Engine
    from clickmask.decoder.learning.adapter import Adapter

STATE = "learning.json"
STATE_PROBE = ".probe"  # written and taken away again


@dataclass(frozen=True, slots=True)
class State:
    """What a folder holds.

    Args:
        current: The version in use; 0: the model as it came.
        outcomes: Of every try, oldest first.
    """

    current: int = 0
    outcomes: tuple[Outcome, ...] = ()

    @property
    def last(self) -> Outcome | None:
        """The newest outcome."""
        return self.outcomes[-1] if self.outcomes else None

    @property
    def newest(self) -> int:
        """The highest version there is."""
        return max((outcome.version for outcome in self.outcomes), default=0)


@dataclass(frozen=True, slots=True)
class Versions:
    """The versions of one project.

    Args:
        folder: Theirs alone; made when something is kept.
        project: A name for them, such as ``"flowers"``.
    """

    folder: Path
    project: str

    def state(self) -> State:
        """What is there; a folder that is missing, or whose list is broken, holds nothing in use."""
        try:
            found = json.loads((self.folder / STATE).read_text(encoding="utf-8"))
            outcomes = tuple(Outcome.from_json(entry) for entry in found["outcomes"])
            current = found["current"]
        except (OSError, ValueError, KeyError, TypeError, LearningError):
            return State()
        return State(current if isinstance(current, int) and self._path(current).is_file() else 0, outcomes)

    def name(self, version: int) -> str:
        """Such as ``"flowers-3"``."""
        return f"{self.project}-{version}"

    def adapter(self) -> Adapter | None:
        """The version in use; None where that is the model as it came.

        Raises:
            LearningError: If its file is broken.
        """
        from clickmask.decoder.learning.adapter_file import load_adapter  # needs PyTorch

        current = self.state().current
        return load_adapter(self._path(current)) if current else None

    def engine(self, engine: Engine) -> Engine:
        """The engine with the version in use; itself where that is the model as it came, or was learned on another.

        Raises:
            LearningError: If the version's file is broken.
        """
        from clickmask.decoder.learning.adapter import adapt

        adapter = self.adapter()
        if adapter is None or adapter.base != engine.model.fingerprint:
            return engine
        return engine.with_model(adapt(engine.model, adapter))

    def check_writable(self) -> None:
        """Find out before any work whether something can be kept here.

        Raises:
            LearningError: If not.
        """
        self._write(STATE_PROBE, Path.touch)
        (self.folder / STATE_PROBE).unlink(missing_ok=True)

    def keep(self, outcome: Outcome, adapter: Adapter | None) -> Outcome:
        """Note an outcome; what is given with it is kept as the next version and used from now on.

        Raises:
            LearningError: If it cannot be written; then the version in use stays.
        """
        from clickmask.decoder.learning.adapter_file import save_adapter

        state = self.state()
        if adapter is not None:
            outcome = replace(outcome, version=state.newest + 1)
            named = replace(adapter, name=self.name(outcome.version))
            self._write(self._path(outcome.version).name, lambda path: save_adapter(path, named, outcome))
        current = outcome.version or state.current
        self._write_state(State(current, (*state.outcomes, outcome)))
        return outcome

    def roll_back(self) -> int:
        """Use the version before the one in use, in the end the model as it came; return its number.

        Raises:
            LearningError: If nothing is in use, or the folder cannot be written.
        """
        state = self.state()
        if state.current == 0:
            raise LearningError(f"{self.project} uses nothing that was learned: there is nothing to roll back")
        earlier = [one.version for one in state.outcomes if one.is_used and one.version < state.current]
        current = max((version for version in earlier if self._path(version).is_file()), default=0)
        self._write_state(replace(state, current=current))
        return current

    def _path(self, version: int) -> Path:
        return self.folder / f"{version}.safetensors"

    def _write_state(self, state: State) -> None:
        content = {"current": state.current, "outcomes": [outcome.as_json() for outcome in state.outcomes]}
        self._write(STATE, lambda path: path.write_text(json.dumps(content, indent=1), encoding="utf-8"))

    def _write(self, name: str, write: Callable[[Path], object]) -> None:
        """Write a file whole or not at all."""
        try:
            with whole_file(self.folder / name) as part:
                write(part)
        except OSError as error:
            reason = error.strerror or str(error)
            raise LearningError(f"{self.folder} cannot keep what is learned: {reason}") from error
