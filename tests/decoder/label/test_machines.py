"""More than one machine, where there is none: said in a line, and nothing of Ray is imported unless asked for."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from PIL import Image

from clickmask.__main__ import main
from clickmask.decoder import ClusterError
from clickmask.decoder.cluster.ray import connect
from tests.decoder.label.test_label import photo
from tests.test_imports import imported

WITHOUT_RAY = """
from clickmask.__main__ import main
from PIL import Image
from pathlib import Path
folder = Path({folder!r})
assert main(["label", str(folder), "--points-per-side", "2", "--out", str(folder / "out.json")]) == 0
"""


def test_a_run_on_one_machine_imports_no_ray(tmp_path: Path) -> None:
    Image.fromarray(photo()).save(tmp_path / "a.png")
    statement = WITHOUT_RAY.format(folder=str(tmp_path)).strip().replace("\n", "; ")
    assert not imported(statement, "ray")
    assert (tmp_path / "out.json").exists()


def test_nothing_imports_ray_by_itself() -> None:
    assert not imported("import clickmask.plugin.build, clickmask.web.start, clickmask.decoder.cluster.label", "ray")


def test_ray_that_is_not_installed_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.fromarray(photo()).save(tmp_path / "a.png")
    monkeypatch.setitem(sys.modules, "ray", None)
    assert main(["label", str(tmp_path), "--out", str(tmp_path / "out.json"), "--ray", "auto"]) == 1
    assert "Ray is not installed, wanted the extra ray: pip install 'clickmask[ray]'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("ray://head:10001", "is no address of a cluster, wanted auto, local or HOST:PORT"),
        ("head", "is no address of a cluster"),
        ("127.0.0.1:9", "there is no cluster at 127.0.0.1"),  # the port for what is thrown away: nobody listens there
        ("127.0.0.1:99999", "there is no cluster at 127.0.0.1:99999"),
    ],
)
def test_a_cluster_that_is_not_there_is_told(address: str, message: str) -> None:
    pytest.importorskip("ray", reason="needs the extra ray: make test-ray")
    with pytest.raises(ClusterError, match=message):
        connect(address)
