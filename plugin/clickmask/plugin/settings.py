"""The backend's settings: one frozen dataclass, filled from flags and environment variables.

A flag wins over the environment, the environment over the default. Nothing here reads the
environment: ``plugin/__main__.py`` hands it in.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, get_type_hints

from clickmask.decoder import DEVICE_HELP, IMAGE_SIDE_HELP, PRECISION_HELP, PRECISIONS, Precision
from clickmask.plugin.errors import SettingsError
from clickmask.plugin.files.locations import is_http_address

Parse = Callable[[str], Any]
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


@dataclass(frozen=True, slots=True)
class About:
    """What a setting is for.

    Args:
        text: For the help and the documentation.
        parse: Reads its value; raises SettingsError.
        variable: Its environment variable where that is not CLICKMASK_<NAME>.
    """

    text: str
    parse: Parse
    variable: str = ""


def _whole(at_least: int, at_most: int) -> Parse:
    def parse(text: str) -> int:
        wanted = f"wanted a whole number from {at_least} to {at_most}"
        try:
            value = int(text)
        except ValueError:
            raise SettingsError(f"got {text!r}, {wanted}") from None
        if not at_least <= value <= at_most:
            raise SettingsError(f"got {value}, {wanted}")
        return value

    return parse


def _text(text: str) -> str:
    return text.strip()


def _name(text: str) -> str:
    if not text.strip():
        raise SettingsError("got nothing, wanted a name")
    return text.strip()


def _yes(text: str) -> bool:
    known = {"yes": True, "true": True, "1": True, "on": True, "no": False, "false": False, "0": False, "off": False}
    if text.strip().lower() not in known:
        raise SettingsError(f"got {text!r}, wanted yes or no")
    return known[text.strip().lower()]


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip().lower() for name in text.split(",") if name.strip())


def _address(text: str) -> str:
    address = text.strip().rstrip("/")
    if address and not is_http_address(address):
        raise SettingsError(f"got {text!r}, wanted an address like http://label-studio:8080")
    return address


def _engine(text: str) -> str:
    address = text.strip().rstrip("/")
    if address and not (address.startswith("ray://") and address.removeprefix("ray://")):
        raise SettingsError(f"got {text!r}, wanted an address like ray://head:8000")
    return address


def _folder(text: str) -> Path:
    return Path(_name(text))


def _folders(text: str) -> tuple[Path, ...]:
    folders = tuple(Path(part.strip()).expanduser().resolve() for part in text.split(",") if part.strip())
    for folder in folders:
        if not folder.is_dir() or folder == folder.parent:
            raise SettingsError(f"got {str(folder)!r}, wanted a folder that exists and is not the root of the disk")
    return folders


def _precision(text: str) -> str:
    if text.strip() not in PRECISIONS:
        raise SettingsError(f"got {text!r}, wanted {' or '.join(PRECISIONS)}")
    return text.strip()


def _log_level(text: str) -> str:
    if text.strip().upper() not in LOG_LEVELS:
        raise SettingsError(f"got {text!r}, wanted one of {', '.join(LOG_LEVELS)}")
    return text.strip().upper()


_COUNT = _whole(1, 10_000)
_MEGABYTES = _whole(0, 10_000_000)
_SECONDS = _whole(1, 3_600)


@dataclass(frozen=True)
class Settings:
    """Everything about one backend process that a person may change; ``About`` says what each is for."""

    host: Annotated[str, About("address to listen on; 0.0.0.0 for every network", _name)] = "127.0.0.1"
    port: Annotated[int, About("port to listen on", _whole(1, 65_535))] = 9090
    model: Annotated[str, About("model name, or a path to weights", _name)] = "nano"
    device: Annotated[str, About(DEVICE_HELP, _name)] = "auto"
    image_side: Annotated[int, About(f"{IMAGE_SIDE_HELP}; 0: their family's own", _whole(0, 4_096))] = 0
    engine: Annotated[
        str, About("address of decoders on a Ray cluster, such as ray://head:8000; unset: decode here", _engine)
    ] = ""
    precision: Annotated[Precision, About(PRECISION_HELP, _precision)] = "float32"
    label_studio_url: Annotated[
        str, About("address of Label Studio; unset: as Label Studio introduces itself", _address, "LABEL_STUDIO_URL")
    ] = ""
    label_studio_api_key: Annotated[
        str, About("legacy or personal access token for that address", _text, "LABEL_STUDIO_API_KEY")
    ] = ""
    basic_auth_user: Annotated[
        str, About("user name that requests must carry, /health excepted", _text, "BASIC_AUTH_USER")
    ] = ""
    basic_auth_pass: Annotated[str, About("the password that goes with it", _text, "BASIC_AUTH_PASS")] = ""
    data_dir: Annotated[Path, About("folder of caches and records", _folder)] = Path("~/.clickmask/plugin")
    local_files_roots: Annotated[
        tuple[Path, ...], About("folders, by commas, that /data/local-files/ may read on this disk", _folders)
    ] = ()
    trusted_hosts: Annotated[
        tuple[str, ...], About("hosts, by commas, that may have private addresses (MinIO, say)", _names)
    ] = ()
    allowed_hosts: Annotated[
        tuple[str, ...],
        About(
            "names, by commas, by which this server is reached, beside localhost, addresses and names without a dot; "
            "any with a password",
            _names,
        ),
    ] = ()
    embedding_cache_mb: Annotated[int, About("memory for encoded images [MB]", _whole(16, 1_000_000))] = 2_000
    embedding_disk_mb: Annotated[int, About("disk for encoded images [MB]; 0 keeps none", _MEGABYTES)] = 4_000
    image_cache_mb: Annotated[int, About("disk for fetched images [MB]; 0 keeps none", _MEGABYTES)] = 2_000
    max_image_mb: Annotated[int, About("largest image file [MB]", _COUNT)] = 100
    video_cache_mb: Annotated[int, About("disk for fetched videos [MB]; 0 keeps none", _MEGABYTES)] = 10_000
    max_video_mb: Annotated[int, About("largest video file [MB]", _whole(1, 1_000_000))] = 2_000
    max_request_mb: Annotated[int, About("largest request body [MB]", _COUNT)] = 64
    fetch_seconds: Annotated[int, About("longest wait for an image [s]", _SECONDS)] = 20
    video_fetch_seconds: Annotated[int, About("longest wait for a video [s]", _SECONDS)] = 600
    ready_seconds: Annotated[int, About("longest wait for a model that still loads [s]", _whole(0, 3_600))] = 20
    predict_seconds: Annotated[int, About("longest answer [s]; Label Studio itself gives up after 100 s", _SECONDS)] = (
        60
    )
    track_seconds: Annotated[
        int, About("longest wait for a track [s]; then what is tracked so far is answered", _whole(0, 90))
    ] = 50
    max_tracks: Annotated[int, About("videos that may wait to be tracked; more get 503 at once", _COUNT)] = 8
    workers: Annotated[int, About("requests answered at the same time", _whole(1, 256))] = 4
    max_waiting: Annotated[int, About("requests that may wait; more get 503 at once", _COUNT)] = 64
    no_learning: Annotated[
        bool, About("learn nothing from accepted answers; every project is answered by the model as it came", _yes)
    ] = False
    encode_ahead: Annotated[int, About("tasks encoded ahead of the open one; 0 for none", _whole(0, 100))] = 2
    log_level: Annotated[str, About("least important lines: " + ", ".join(LOG_LEVELS), _log_level)] = "INFO"


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting, described."""

    name: str
    default: object
    about: About

    @property
    def flag(self) -> str:
        """Its command-line flag."""
        return "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        """Its environment variable."""
        return self.about.variable or f"CLICKMASK_{self.name.upper()}"

    @property
    def shown_default(self) -> str:
        """Its default as text; "" where it is unset."""
        return "" if self.default in ("", ()) or self.default is False else str(self.default)


def all_settings() -> list[Setting]:
    """Every setting, in the order of the documentation."""
    hints = get_type_hints(Settings, include_extras=True)
    return [Setting(field.name, field.default, hints[field.name].__metadata__[0]) for field in fields(Settings)]


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Give a parser one flag per setting, all optional and kept as text."""
    for setting in all_settings():
        text = f"{setting.about.text} (default {setting.shown_default or 'unset'}; {setting.variable})"
        if setting.default is False:  # a switch needs no value
            parser.add_argument(setting.flag, dest=setting.name, metavar="VALUE", help=text, nargs="?", const="yes")
        else:
            parser.add_argument(setting.flag, dest=setting.name, metavar="VALUE", help=text)


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
        clickmask.plugin.errors.SettingsError: --port: got 'high', wanted a whole number from 1 to 65535
    """
    values = {}
    for setting in all_settings():
        source, text = setting.flag, flags.get(setting.name)
        if text is None:
            source, text = setting.variable, environment.get(setting.variable) or None
        if text is not None:
            values[setting.name] = _parsed(setting, source, text)
    return _checked(Settings(**values))


def settings_table() -> str:
    """All settings as a Markdown table, for the documentation."""
    rows = ["| flag | variable | default | what it is |", "|---|---|---|---|"]
    for setting in all_settings():
        default = f"`{setting.shown_default}`" if setting.shown_default else ""
        rows.append(f"| `{setting.flag}` | `{setting.variable}` | {default} | {setting.about.text} |")
    return "\n".join(rows)


def _parsed(setting: Setting, source: str, text: str) -> Any:
    try:
        return setting.about.parse(text)
    except SettingsError as error:
        raise SettingsError(f"{source}: {error}") from None


def _checked(settings: Settings) -> Settings:
    if bool(settings.basic_auth_user) != bool(settings.basic_auth_pass):
        raise SettingsError("BASIC_AUTH_USER and BASIC_AUTH_PASS go together: got only one of them")
    if settings.label_studio_api_key and not settings.label_studio_url:
        raise SettingsError("LABEL_STUDIO_API_KEY needs LABEL_STUDIO_URL: the key goes to no address but that one")
    return settings
