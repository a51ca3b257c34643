"""The faults that people meet when they install such a backend: each is made, and told in one line with its cure."""

from __future__ import annotations

import pickle
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from clickmask.__main__ import main
from clickmask.plugin.doctor.configs import config_findings
from clickmask.plugin.labels import label_config, label_config_names
from clickmask.plugin.projects.label_config import read_label_config
from tests.plugin.conftest import picture
from tests.plugin.studio_server import LEGACY, Studio
from tests.ports import free_port

CONNECTED = {"url": "http://backend:9090", "state": "CO", "is_interactive": True, "model_version": "clickmask-nano"}


class Doctor:
    """Runs ``clickmask doctor`` and keeps what it says."""

    def __init__(self, studio: Studio, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self.flags = {
            "--label-studio-url": studio.url,
            "--label-studio-api-key": LEGACY,
            "--project": "1",
            "--data-dir": str(folder / "data"),
            "--port": str(free_port()),
        }

    def lines(self, **flags: str) -> list[str]:
        """What it says; its exit code says whether anything is wrong."""
        given = self.flags | {f"--{name.replace('_', '-')}": value for name, value in flags.items()}
        code = main(["doctor", *(part for pair in given.items() if pair[1] for part in pair)])
        lines = self._capsys.readouterr().out.splitlines()
        assert code == int(any(line.startswith("wrong") for line in lines)), lines
        return lines

    def wrong(self, **flags: str) -> str:
        """The one line that says what is wrong."""
        (line,) = [line for line in self.lines(**flags) if line.startswith("wrong")]
        return line


@pytest.fixture
def healthy(studio: Studio) -> Studio:
    """A Label Studio with a project that is connected as it should be."""
    studio.files["/data/upload/1/a.png"] = picture(brightness=0)
    studio.tasks = [{"id": 1, "data": {"image": "/data/upload/1/a.png"}}]
    studio.label_config = label_config("polygon")
    studio.api = {
        "/api/version/": {"release": "1.23.2"},
        "/api/current-user/whoami": {"email": "ann@example.com"},
        "/api/ml": [CONNECTED],
        "/api/webhooks/": [{"url": "http://backend:9090/webhook", "is_active": True}],
    }
    return studio


@pytest.fixture
def doctor(healthy: Studio, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Doctor:
    return Doctor(healthy, tmp_path, capsys)


def test_all_is_well(doctor: Doctor) -> None:
    lines = doctor.lines()
    assert not any(line.startswith("wrong") for line in lines)
    told = "\n".join(lines)
    for part in ("nano loads on", "Label Studio 1.23.2", "belongs to ann@example.com", "asked about clicks", "told to"):
        assert part in told


def mismatched(folder: Path) -> Path:
    save_file({"a": torch.zeros(2)}, folder / "other.safetensors")
    return folder / "other.safetensors"


def damaged(folder: Path) -> Path:
    (folder / "half.safetensors").write_bytes(mismatched(folder).read_bytes()[:20])
    return folder / "half.safetensors"


class Harm:
    """Pickles as code."""

    def __reduce__(self) -> tuple[Any, ...]:
        return print, ("harm",)


def harmful(folder: Path) -> Path:
    torch.save({"model": Harm()}, folder / "harm.pt", pickle_module=pickle)
    return folder / "harm.pt"


@pytest.mark.parametrize(
    ("make", "cure"),
    [
        (mismatched, "file that belongs to the model"),
        (damaged, "download the weights again"),
        (harmful, "code in weights is not run"),
    ],
)
def test_weights_that_cannot_be_used(doctor: Doctor, make: Callable[[Path], Path], cure: str, tmp_path: Path) -> None:
    assert cure in doctor.lines(model=str(make(tmp_path)), label_studio_url="", label_studio_api_key="")[2]


def test_weights_named_from_another_start_folder(doctor: Doctor) -> None:
    lines = doctor.lines(model="weights/my.safetensors", label_studio_url="", label_studio_api_key="")
    assert "a relative one begins in the folder" in lines[2]


def test_no_driver(doctor: Doctor) -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has a driver")
    assert "--device cpu" in doctor.lines(device="cuda", label_studio_url="", label_studio_api_key="")[2]


def test_an_address_without_http(doctor: Doctor) -> None:
    assert "with http:// or https://" in doctor.wrong(label_studio_url="localhost:8080")


def test_a_path_that_is_missing_or_too_much(doctor: Doctor) -> None:
    assert "write it as http://host/path" in doctor.wrong(label_studio_url=doctor.flags["--label-studio-url"] + "/ls")


@pytest.mark.parametrize("token", ["wrong", "a.b.c"])
def test_a_token_that_is_expired_or_of_another_server(doctor: Doctor, token: str) -> None:
    assert "copy a new one from Account & Settings" in doctor.wrong(label_studio_api_key=token)


def test_a_private_address_that_label_studio_refuses(doctor: Doctor, healthy: Studio) -> None:
    message = "URL resolves to a reserved network address (block: 127.0.0.0/8)"
    healthy.api["/api/ml"] = [CONNECTED | {"state": "ER", "error_message": message}]
    assert "LABEL_STUDIO_USE_DEFAULT_BANNED_SUBNETS=false" in doctor.wrong()


def test_no_backend_in_the_project(doctor: Doctor, healthy: Studio) -> None:
    healthy.api["/api/ml"] = []
    assert "Settings, Model, Connect Model" in doctor.wrong()


def test_a_backend_that_is_never_asked(doctor: Doctor, healthy: Studio) -> None:
    healthy.api["/api/ml"] = [CONNECTED | {"is_interactive": False}]
    assert "Interactive preannotations" in doctor.wrong()


def test_no_webhook(doctor: Doctor, healthy: Studio) -> None:
    healthy.api["/api/webhooks/"] = []
    assert any("no webhook tells" in line and "Settings, Webhooks" in line for line in doctor.lines())


def test_a_port_that_is_taken(doctor: Doctor) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen(5)
        assert "choose another with --port" in doctor.wrong(port=str(other.getsockname()[1]))


def test_a_proxy(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")
    assert any(line.startswith("note   a proxy is set (HTTPS_PROXY)") for line in doctor.lines())


def test_no_space(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1_000_000))
    assert "free space, or name a folder on another disk" in doctor.wrong()


def test_a_folder_that_cannot_be_written_to(doctor: Doctor, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    lines = [line for line in doctor.lines(data_dir=str(tmp_path / "file" / "data")) if line.startswith("wrong")]
    assert all("--data-dir" in line for line in lines)
    assert lines


def test_label_studio_is_down(doctor: Doctor) -> None:
    assert "start the server" in doctor.wrong(label_studio_url=f"http://127.0.0.1:{free_port()}")


def test_a_host_that_is_spelled_wrong(doctor: Doctor) -> None:
    assert "mend the address" in doctor.wrong(label_studio_url="http://label-studoi.invalid:8080")


def test_a_project_that_is_not_there(doctor: Doctor, healthy: Studio) -> None:
    healthy.label_config = ""
    assert "no project of this number" in doctor.wrong(project="7")


def test_an_old_label_studio(doctor: Doctor, healthy: Studio) -> None:
    healthy.api["/api/version/"] = {"release": "1.10.1"}
    assert "update it: wanted 1.18 or newer" in doctor.wrong()


def test_an_image_that_cannot_be_fetched(doctor: Doctor, healthy: Studio) -> None:
    healthy.tasks[0]["data"]["image"] = "http://10.9.8.7/a.png"
    assert "--trusted-hosts" in doctor.wrong()


def test_a_label_that_nothing_answers(doctor: Doctor, healthy: Studio) -> None:
    head, _, tail = label_config("polygon").rpartition('<Label value="Thing"')
    healthy.label_config = head + tail[tail.index("/>") + 2 :]
    lines = [line for line in doctor.lines() if line.startswith("wrong")]
    assert lines
    assert all("no tag on image image answers 'Thing'" in line and "get no answer" in line for line in lines)


@pytest.mark.parametrize("name", label_config_names())
def test_nothing_is_odd_in_the_configs_that_ship(name: str) -> None:
    assert config_findings(read_label_config(label_config(name))) == []


def test_without_an_address_only_this_machine_is_looked_at(doctor: Doctor) -> None:
    lines = doctor.lines(label_studio_url="", label_studio_api_key="")
    assert lines[-1].startswith("note   the address of Label Studio is not set")
