"""Settings: what wins, and that wrong values are refused with the name of the culprit."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from clickmask.plugin.errors import SettingsError
from clickmask.plugin.settings import Settings, all_settings, read_settings, settings_table

DOCUMENT = Path(__file__).parents[2] / "docs" / "backend.md"


def test_a_flag_wins_over_the_environment() -> None:
    settings = read_settings({"port": "1000", "model": None}, {"CLICKMASK_PORT": "2000", "CLICKMASK_MODEL": "tiny"})
    assert (settings.port, settings.model) == (1000, "tiny")


def test_an_empty_variable_counts_as_unset() -> None:
    """Compose files hand on variables that nobody set as empty text."""
    assert read_settings({}, {"CLICKMASK_PORT": "", "LABEL_STUDIO_URL": ""}) == Settings()


@pytest.mark.parametrize(
    ("variable", "text", "message"),
    [
        ("CLICKMASK_PORT", "0", "CLICKMASK_PORT: got 0, wanted a whole number from 1 to 65535"),
        ("CLICKMASK_PORT", "http", "CLICKMASK_PORT: got 'http', wanted a whole number"),
        ("CLICKMASK_WORKERS", "-1", "CLICKMASK_WORKERS: got -1"),
        ("LABEL_STUDIO_URL", "label-studio:8080", "LABEL_STUDIO_URL: got 'label-studio:8080', wanted an address"),
        ("CLICKMASK_LOG_LEVEL", "LOUD", "CLICKMASK_LOG_LEVEL: got 'LOUD', wanted one of DEBUG"),
        ("CLICKMASK_PRECISION", "int8", "CLICKMASK_PRECISION: got 'int8', wanted float32 or bfloat16"),
        ("CLICKMASK_LOCAL_FILES_ROOTS", "/no/such/folder", "wanted a folder that exists"),
        ("CLICKMASK_LOCAL_FILES_ROOTS", "/", "not the root of the disk"),
        ("CLICKMASK_MODEL", "  ", "CLICKMASK_MODEL: got nothing, wanted a name"),
        ("BASIC_AUTH_USER", "ann", "go together"),
        ("LABEL_STUDIO_API_KEY", "secret", "needs LABEL_STUDIO_URL"),
    ],
)
def test_a_wrong_value_is_refused(variable: str, text: str, message: str) -> None:
    with pytest.raises(SettingsError) as error:
        read_settings({}, {variable: text})
    assert message in str(error.value)


def test_a_slash_at_the_end_of_an_address_is_dropped() -> None:
    assert read_settings({"label_studio_url": "http://studio:8080/"}, {}).label_studio_url == "http://studio:8080"


def test_every_setting_is_documented() -> None:
    assert settings_table() in DOCUMENT.read_text(encoding="utf-8")
    assert all(setting.about.text for setting in all_settings())


def test_the_program_stops_with_the_message() -> None:
    command = [sys.executable, "-m", "clickmask", "backend", "--workers", "many"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert done.stderr == "error: --workers: got 'many', wanted a whole number from 1 to 256\n"
