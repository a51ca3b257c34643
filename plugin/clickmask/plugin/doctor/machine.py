"""This machine's side: versions, weights, device, disk, port."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import httpx
import torch

from clickmask.decoder import ClickMaskError, load_model
from clickmask.plugin.doctor.findings import Finding, from_error
from clickmask.plugin.errors import SettingsError
from clickmask.plugin.listening import listen
from clickmask.plugin.settings import Settings

_LEAST_FREE_MB = 1_000
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")


def machine_findings(settings: Settings, environment: Mapping[str, str]) -> Iterator[Finding]:
    """Look this machine over, one finding after another."""
    yield Finding(
        "ok", f"clickmask {_version('clickmask')}, Python {platform.python_version()}, torch {torch.__version__}"
    )
    yield _data_folder(settings.data_dir.expanduser())
    yield _weights(settings)
    yield _port(settings)
    named = [name for name in _PROXIES if environment.get(name)]
    if named:
        cure = "weights come through it; Label Studio and images are read without, so they must be reachable directly"
        yield Finding("note", f"a proxy is set ({', '.join(named)})", cure)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "(a checkout)"


def _data_folder(folder: Path) -> Finding:
    """Whether the folder of caches and records can be written to, and has room."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        probe = folder / f".probe-{os.getpid()}"
        probe.write_bytes(b"x")
        probe.unlink()
    except OSError as error:
        return from_error(f"{folder} cannot be written to: {error.strerror}")
    free = shutil.disk_usage(folder).free // 1_000_000
    if free < _LEAST_FREE_MB:
        return from_error(f"{free} MB are free in {folder}, wanted {_LEAST_FREE_MB} MB")
    return Finding("ok", f"{free} MB are free in {folder}")


def _weights(settings: Settings) -> Finding:
    try:
        model = load_model(settings.model, device=settings.device, precision=settings.precision)
    except ClickMaskError as error:
        return from_error(error)
    return Finding("ok", f"model {settings.model} loads on {model.device}")


def _port(settings: Settings) -> Finding:
    """Whether a backend answers at the address, or could."""
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host
    url = f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"
    try:
        listen(settings.host, settings.port).close()
    except SettingsError as error:
        answer = _health(url)
        return Finding("ok", f"a backend answers at {url}: {answer}") if answer else from_error(error)
    return Finding("note", f"no backend runs at {url}, the port is free", "start it with `clickmask backend`")


def _health(url: str) -> str:
    try:
        answer = httpx.get(f"{url}/health", timeout=5, trust_env=False)
        return str(answer.json()["models"]) if answer.status_code == 200 else ""
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        return ""
