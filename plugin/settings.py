"""The backend's settings: one frozen dataclass, filled from flags and environment variables.

A flag wins over the environment, the environment over the default. Nothing here reads the
environment: ``plugin/__main__.py`` hands it in.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from plugin.errors import SettingsError

Parse = Callable[[str], Any]
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


def _setting(default: Any, parse: Parse, about: str, env: str = "") -> Any:
    """One setting: its default, how its text is read, what it is for, and its variable if not CLICKMASK_<NAME>."""
    return field(default=default, metadata={"parse": parse, "about": about, "env": env})


def _whole(at_least: int, at_most: int) -> Parse:
    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise SettingsError(f"got {text!r}, wanted a whole number from {at_least} to {at_most}") from None
        if not at_least <= value <= at_most:
            raise SettingsError(f"got {value}, wanted a whole number from {at_least} to {at_most}")
        return value

    return parse


def _text(text: str) -> str:
    return text.strip()


def _name(text: str) -> str:
    if not text.strip():
        raise SettingsError("got nothing, wanted a name")
    return text.strip()


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip().lower() for name in text.split(",") if name.strip())


def _origin(text: str) -> str:
    """An address like http://host:8080, without a slash at its end; empty means unset."""
    address = text.strip().rstrip("/")
    parts = urlsplit(address)
    if address and (parts.scheme not in ("http", "https") or not parts.hostname):
        raise SettingsError(f"got {text!r}, wanted an address like http://label-studio:8080")
    return address


def _folder(text: str) -> Path:
    if not text.strip():
        raise SettingsError("got nothing, wanted a folder")
    return Path(text.strip())


def _folders(text: str) -> tuple[Path, ...]:
    folders = tuple(Path(part.strip()).expanduser().resolve() for part in text.split(",") if part.strip())
    for folder in folders:
        if not folder.is_dir() or folder == folder.parent:
            raise SettingsError(f"got {str(folder)!r}, wanted a folder that exists and is not the root of the disk")
    return folders


def _log_level(text: str) -> str:
    if text.strip().upper() not in LOG_LEVELS:
        raise SettingsError(f"got {text!r}, wanted one of {', '.join(LOG_LEVELS)}")
    return text.strip().upper()


@dataclass(frozen=True)
class Settings:
    """Everything about one backend process that a person may change."""

    host: str = _setting("127.0.0.1", _name, "address to listen on; 0.0.0.0 for every network of the machine")
    port: int = _setting(9090, _whole(1, 65_535), "port to listen on")
    model: str = _setting("nano", _name, "model name, or a path to weights")
    device: str = _setting("auto", _name, "where the model runs: auto, cpu, cuda, cuda:1, mps")
    label_studio_url: str = _setting(
        "", _origin, "address of Label Studio; unset: the one Label Studio itself names", "LABEL_STUDIO_URL"
    )
    label_studio_api_key: str = _setting(
        "",
        _text,
        "legacy token or personal access token; unset: the one Label Studio hands over",
        "LABEL_STUDIO_API_KEY",
    )
    basic_auth_user: str = _setting(
        "", _text, "user name every request must carry (/health excepted)", "BASIC_AUTH_USER"
    )
    basic_auth_pass: str = _setting("", _text, "password that goes with it", "BASIC_AUTH_PASS")
    data_dir: Path = _setting(Path("~/.clickmask/plugin"), _folder, "folder of the image cache and the records")
    local_files_roots: tuple[Path, ...] = _setting(
        (), _folders, "folders, by commas, whose files /data/local-files/ may read from this disk"
    )
    trusted_hosts: tuple[str, ...] = _setting(
        (), _names, "host names, by commas, that may have private addresses (a MinIO, say)"
    )
    embedding_cache_mb: int = _setting(2_000, _whole(16, 1_000_000), "memory for encoded images [MB]")
    embedding_disk_mb: int = _setting(4_000, _whole(0, 10_000_000), "disk for encoded images [MB]; 0 keeps none")
    image_cache_mb: int = _setting(2_000, _whole(1, 10_000_000), "disk for fetched images [MB]")
    max_image_mb: int = _setting(100, _whole(1, 10_000), "largest image file [MB]")
    max_request_mb: int = _setting(64, _whole(1, 10_000), "largest request body [MB]")
    fetch_seconds: int = _setting(20, _whole(1, 600), "longest wait for an image [s]")
    ready_seconds: int = _setting(20, _whole(0, 600), "longest wait of a click for a model that still loads [s]")
    predict_seconds: int = _setting(
        60, _whole(1, 3_600), "longest /predict [s]; Label Studio itself gives up after 100 s"
    )
    workers: int = _setting(4, _whole(1, 256), "requests answered at the same time")
    max_waiting: int = _setting(
        64, _whole(1, 10_000), "requests that may wait for a worker; more are sent away with 503"
    )
    encode_ahead: int = _setting(2, _whole(0, 100), "tasks encoded ahead of the opened one while idle; 0 for none")
    log_level: str = _setting("INFO", _log_level, "least important messages shown: " + ", ".join(LOG_LEVELS))


def variable(setting: Field[Any]) -> str:
    """The environment variable of a setting."""
    return setting.metadata["env"] or f"CLICKMASK_{setting.name.upper()}"


def flag(setting: Field[Any]) -> str:
    """The command-line flag of a setting."""
    return "--" + setting.name.replace("_", "-")


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Give a parser one flag per setting, all optional and kept as text."""
    for setting in fields(Settings):
        about = f"{setting.metadata['about']} (default {_shown(setting.default)!r}; {variable(setting)})"
        parser.add_argument(
            flag(setting), dest=setting.name, metavar=setting.name.upper(), help=about.replace("%", "%%")
        )


def read_settings(flags: Mapping[str, str | None], environment: Mapping[str, str]) -> Settings:
    """Build the settings from flags and environment variables.

    Args:
        flags: Setting name -> text, or None where the flag was not given.
        environment: The process environment; a variable that is empty counts as unset.

    Raises:
        SettingsError: If a value cannot work; the message names the flag or variable.

    Example:
        >>> read_settings({"port": "9091"}, {"CLICKMASK_MODEL": "sam2.1_hiera_large"}).port
        9091
        >>> read_settings({"port": "high"}, {})
        Traceback (most recent call last):
            ...
        plugin.errors.SettingsError: --port: got 'high', wanted a whole number from 1 to 65535
    """
    values = {}
    for setting in fields(Settings):
        named, text = flag(setting), flags.get(setting.name)
        if text is None:
            named, text = variable(setting), environment.get(variable(setting)) or None
        if text is not None:
            values[setting.name] = _parsed(setting, named, text)
    settings = Settings(**values)
    if bool(settings.basic_auth_user) != bool(settings.basic_auth_pass):
        raise SettingsError("BASIC_AUTH_USER and BASIC_AUTH_PASS go together: got only one of them")
    return settings


def settings_table() -> str:
    """All settings as a Markdown table, for the documentation."""
    rows = ["| flag | variable | default | what it does |", "|---|---|---|---|"]
    for setting in fields(Settings):
        default = _shown(setting.default)
        rows.append(
            f"| `{flag(setting)}` | `{variable(setting)}` | {f'`{default}`' if default else ''} | {setting.metadata['about']} |"
        )
    return "\n".join(rows)


def _parsed(setting: Field[Any], named: str, text: str) -> Any:
    try:
        return setting.metadata["parse"](text)
    except SettingsError as error:
        raise SettingsError(f"{named}: {error}") from None


def _shown(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, Sequence) and not isinstance(value, str) else str(value)
