"""The class that ``label-studio-ml`` serves: it hands every request on to the predictor.

The runner makes a new object at every page load (1.0.9) or every request (2.x), so the object
holds nothing: model, caches and records live in one predictor per process.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from label_studio_ml.model import LabelStudioMLBase

from clickmask.plugin.build import build_backend
from clickmask.plugin.predictor import Predictor
from clickmask.plugin.projects.options import read_options
from clickmask.plugin.settings import read_settings


@cache
def shared_predictor() -> Predictor:
    """The one predictor of this process, made when it is first needed; its settings come from the environment."""
    return build_backend(read_settings({}, os.environ)).predictor


class ClickMaskModel(LabelStudioMLBase):  # type: ignore[misc]  # the runner has no types
    """Works with both lines of the runner, whose objects differ in what they know.

    1.0.9 gives ``hostname`` and ``access_token`` of the Label Studio that connected, and no project:
    it serves one project at a time. 2.x gives ``project_id`` and ``extra_params``; there the address
    and the token come from ``LABEL_STUDIO_URL`` and ``LABEL_STUDIO_API_KEY``.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if getattr(self, "hostname", ""):  # 1.0.9, and not the copy it makes for a webhook
            self.setup()

    def setup(self) -> None:
        """Introduce the project and begin to load its model; 2.x calls this by itself."""
        introduced = shared_predictor().setup(
            {
                "project": self._project,
                "schema": self.label_config,
                "hostname": getattr(self, "hostname", ""),
                "access_token": getattr(self, "access_token", ""),
                "extra_params": getattr(self, "extra_params", None),
            }
        )
        if hasattr(self, "set") and self.get("model_version") != introduced["model_version"]:  # 2.x, on its disk
            self.set("model_version", introduced["model_version"])

    def set_extra_params(self, extra_params: object) -> None:
        """Take the project's options; 2.x calls this after ``setup``, and keeps nothing but text by itself.

        Raises:
            RequestError: If they are wrong; kept, they would fail every later request.
        """
        read_options(extra_params)
        self.set("extra_params", json.dumps(extra_params))
        self.setup()

    def predict(
        self, tasks: Sequence[Mapping[str, Any]], context: Mapping[str, Any] | None = None, **_: Any
    ) -> list[dict[str, Any]]:
        """Answer what a person drew, or what is known of the tasks without.

        Raises:
            ClickMaskError: For every reason a person can mend; the runner shows its message.
        """
        request = {
            "tasks": list(tasks),
            "project": self._project,
            "label_config": self.label_config,
            "params": {"context": context or None},  # 2.x makes {} of a request without
        }
        results: list[dict[str, Any]] = shared_predictor().predict(request).body["results"]
        return results

    def fit(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Record what people accepted: ``fit(event, data)`` in 2.x, ``fit((), event=, data=)`` in 1.0.9."""
        event, data = (kwargs["event"], kwargs["data"]) if "event" in kwargs else args[:2]
        return shared_predictor().fit(event, data)

    def process_event(
        self, event: str, data: Mapping[str, Any], job_id: str, additional_params: object
    ) -> dict[str, Any]:
        """Record every event; the runner itself would drop deletions."""
        del job_id, additional_params
        return self.fit(event, data)

    @property
    def _project(self) -> str:
        return getattr(self, "project_id", None) or ""
