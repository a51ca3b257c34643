"""How many inputs a parser's test tries: few whenever tests run, 10^5 for a release.

``pytest -m fuzz --hypothesis-profile long``; the profile ``some`` tries 2,000 each.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, settings

PROFILES = {"some": 2_000, "long": 100_000}
_PATIENT = (HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much)

TestT = TypeVar("TestT", bound=Callable[..., None])

for _name, _count in PROFILES.items():
    settings.register_profile(_name, max_examples=_count)


def fuzz(short: int) -> Callable[[TestT], TestT]:
    """Mark a test that throws anything at a parser; usually it tries ``short`` inputs."""
    count = PROFILES.get(settings.get_current_profile_name(), short)
    chosen = settings(max_examples=count, deadline=None, suppress_health_check=_PATIENT)

    def decorate(test: TestT) -> TestT:
        marked: TestT = pytest.mark.fuzz(chosen(test))
        return marked

    return decorate
