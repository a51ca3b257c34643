"""What the studio needs before any server runs: login, photos, options, installation."""

from __future__ import annotations

import fcntl
import re
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image

from clickmask.plugin.errors import StudioError
from clickmask.plugin.studio.__main__ import main
from clickmask.plugin.studio.client import StudioClient
from clickmask.plugin.studio.install import install_label_studio
from clickmask.plugin.studio.login import Login, load_login
from clickmask.plugin.studio.photos import PHOTO_NAMES, sample_photos
from clickmask.plugin.studio.servers import label_studio_command
from tests.ports import free_port


def test_a_login_is_made_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "studio" / "login.json"
    login = load_login(path)
    assert load_login(path) == login
    assert path.stat().st_mode & 0o077 == 0
    assert re.fullmatch(r"[0-9a-f]{40}", login.token)
    assert load_login(tmp_path / "other.json").password != login.password


def test_no_other_user_of_the_machine_reads_the_login_from_the_list_of_programs(tmp_path: Path) -> None:
    login = Login("ann@example.com", "password", "token")
    started = label_studio_command(tmp_path, tmp_path, login, 8080, {})
    assert not {login.email, login.password, login.token} & set(started.command)
    assert {login.email, login.password, login.token} <= set(started.environ.values())


def test_the_sample_photos_are_those_of_gradio(tmp_path: Path) -> None:
    photos = sample_photos(tmp_path)
    assert tuple(photo.name for photo in photos) == PHOTO_NAMES
    for photo in photos:
        with Image.open(photo) as opened:
            assert opened.width > 100


def test_without_gradio_a_picture_is_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gradio", None)  # what Python itself does for a module that must not be found
    [picture] = sample_photos(tmp_path / "new")
    with Image.open(picture) as opened:
        assert len(opened.getcolors() or []) == 4, "three objects and the ground"


def test_an_installed_label_studio_is_not_installed_again(tmp_path: Path) -> None:
    program = tmp_path / "studio" / "bin" / "label-studio"
    program.parent.mkdir(parents=True)
    program.touch()
    assert install_label_studio(tmp_path / "studio") == program
    assert [path.name for path in (tmp_path / "studio").iterdir()] == ["bin"]


def test_whoever_installs_second_waits_for_the_first(tmp_path: Path) -> None:
    """Two at once: the second cleared the folder under the first, and both environments were broken."""
    program = tmp_path / "studio" / "bin" / "label-studio"
    with (tmp_path / "studio.lock").open("w") as lock, ThreadPoolExecutor(1) as second:
        fcntl.flock(lock, fcntl.LOCK_EX)
        waiting = second.submit(install_label_studio, tmp_path / "studio")
        time.sleep(0.3)
        assert not waiting.done()
        assert not program.parent.exists()
        program.parent.mkdir(parents=True)
        program.touch()
        fcntl.flock(lock, fcntl.LOCK_UN)
        assert waiting.result(20) == program


def test_an_installation_that_fails_names_the_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StudioError, match=r"could not be installed into .*file/venv"):
        install_label_studio(tmp_path / "file" / "venv")


def test_a_label_studio_that_is_not_there_is_named() -> None:
    with pytest.raises(StudioError, match=r"Label Studio at http://127\.0\.0\.1:9.* cannot be reached"):
        StudioClient("http://127.0.0.1:9", "token").find_project("ClickMask")


def test_a_busy_port_ends_the_command_before_anything_is_installed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["--port", str(port), "--cache-dir", str(tmp_path)]) == 1
    assert capsys.readouterr().err.startswith(f"error: port {port} is in use")
    assert list(tmp_path.iterdir()) == []


def test_one_port_for_both_servers_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Label Studio's calls went to the backend: "Label Studio refused GET /api/projects (404)"."""
    port = str(free_port())
    assert main(["--port", port, "--backend-port", port, "--cache-dir", str(tmp_path)]) == 1
    assert f"--port and --backend-port are both {port}" in capsys.readouterr().err


def test_an_unknown_label_config_is_refused_with_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--labels", "voxel"])
    assert "'voxel'" in (message := capsys.readouterr().err)
    assert "polygon" in message
