"""Wrong weights get a message that says what, got, wanted."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import torch
from safetensors.torch import load_file, save_file

from clickmask.decoder import CheckpointError, DeviceError, load_model
from clickmask.decoder.checkpoints import NANO_WEIGHTS
from tests.sam2_reference import reference_weights

Weights = dict[str, torch.Tensor]


@pytest.fixture(scope="module")
def weights() -> Weights:
    """The deterministic state dict of tiny."""
    return reference_weights("keys_sam2.1_t.json")


def missing(weights: Weights) -> Weights:
    return {key: value for key, value in weights.items() if key != "no_obj_ptr"}


def extra(weights: Weights) -> Weights:
    return {**weights, "surprise": torch.zeros(1)}


def reshaped(weights: Weights) -> Weights:
    return {**weights, "no_obj_ptr": torch.zeros(1, 7)}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (missing, "fits no model.*1 missing keys, such as no_obj_ptr"),
        (extra, "1 unknown keys, such as surprise"),
        (reshaped, r"no_obj_ptr has shape \(1, 7\), wanted \(1, 256\)"),
    ],
)
def test_foreign_weights(tmp_path: Path, weights: Weights, change: Callable[[Weights], Weights], message: str) -> None:
    torch.save({"model": change(weights)}, tmp_path / "w.pt")
    with pytest.raises(CheckpointError, match=message):
        load_model(tmp_path / "w.pt")


def test_safetensors_files_load_too(tmp_path: Path, weights: Weights) -> None:
    save_file(weights, tmp_path / "w.safetensors")
    assert load_model(tmp_path / "w.safetensors").name == "sam2.1_hiera_tiny"


@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
@pytest.mark.parametrize("length", [0, 10, 1000, 100_000])
def test_files_cut_short(tmp_path: Path, weights: Weights, suffix: str, length: int) -> None:
    path = tmp_path / f"w{suffix}"
    if suffix == ".pt":
        buffer = io.BytesIO()
        torch.save({"model": weights}, buffer)
        path.write_bytes(buffer.getvalue()[:length])
    else:
        save_file(weights, path)
        path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(CheckpointError, match=r"cannot be read as weights|not a whole"):
        load_model(path)


def test_a_pickle_that_runs_code_is_refused(tmp_path: Path) -> None:
    torch.save({"model": print}, tmp_path / "w.pt")
    with pytest.raises(CheckpointError, match="cannot be read as weights: it holds code"):
        load_model(tmp_path / "w.pt")


def test_a_file_without_tensors(tmp_path: Path) -> None:
    torch.save([1, 2, 3], tmp_path / "w.pt")
    with pytest.raises(CheckpointError, match="wanted a state dict"):
        load_model(tmp_path / "w.pt")


def test_a_damaged_pickle(tmp_path: Path) -> None:
    """Damaged bytes can make it pop from an empty list, which used to end in a traceback."""
    with zipfile.ZipFile(tmp_path / "w.pt", "w") as archive:
        for name, content in {"data.pkl": b"\x80\x02a.", "byteorder": b"little", "version": b"3"}.items():
            archive.writestr(f"w/{name}", content)
    with pytest.raises(CheckpointError, match="cannot be read as weights: pop from empty list"):
        load_model(tmp_path / "w.pt")


def test_tensors_without_names(tmp_path: Path) -> None:
    torch.save({1: torch.zeros(1)}, tmp_path / "w.pt")
    with pytest.raises(CheckpointError, match="wanted a state dict"):
        load_model(tmp_path / "w.pt")


def test_weights_cut_down_to_whole_numbers(tmp_path: Path) -> None:
    whole = {key: value.to(torch.int8) for key, value in load_file(NANO_WEIGHTS).items()}
    save_file(whole, tmp_path / "w.safetensors")
    with pytest.raises(CheckpointError, match=r"does not hold nano: .* is torch\.int8, wanted torch\.float32"):
        load_model(tmp_path / "w.safetensors")


def test_unknown_names_list_the_good_ones() -> None:
    with pytest.raises(CheckpointError, match=r"'sam9' is unknown, wanted .* nano, sam2\.1_hiera_tiny"):
        load_model("sam9")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"gone\.pt does not exist"):
        load_model(tmp_path / "gone.pt")


def test_an_unusable_device_is_named() -> None:
    with pytest.raises(DeviceError, match="device hyperdrive cannot be used"):
        load_model("nano", device="hyperdrive")


def test_the_device_is_found_by_itself() -> None:
    assert load_model("nano", device="auto").device.type == ("cuda" if torch.cuda.is_available() else "cpu")


def test_an_unknown_precision_is_named() -> None:
    with pytest.raises(CheckpointError, match="precision 'int8' is unknown, wanted float32 or bfloat16"):
        load_model("nano", precision="int8")  # type: ignore[arg-type]


def point_hub_at(address: str, monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    """Let the hub client ask another server, and remember nothing from before."""
    import huggingface_hub.constants as constants

    monkeypatch.setattr(constants, "ENDPOINT", address)
    monkeypatch.setattr(
        constants, "HUGGINGFACE_CO_URL_TEMPLATE", f"{address}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
    )
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))


def test_without_a_network_the_message_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing listens on port 9 of this machine."""
    point_hub_at("http://127.0.0.1:9", monkeypatch, tmp_path)
    with pytest.raises(CheckpointError, match=r"facebook/sam-vit-base.*HF_ENDPOINT"):
        load_model("sam_vit_b")


class CutShort(BaseHTTPRequestHandler):
    """A hub that promises 1,000 bytes and hangs up after 300."""

    def do_HEAD(self) -> None:
        self.send_response(200)
        for name, value in {"ETag": '"abc"', "X-Repo-Commit": "a" * 40, "Content-Length": "1000"}.items():
            self.send_header(name, value)
        self.end_headers()

    def do_GET(self) -> None:
        self.do_HEAD()
        self.wfile.write(b"x" * 300)

    def log_message(self, *_: object) -> None:
        pass


def test_a_download_cut_short_gets_the_same_message(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The hub client let its HTTP library's own error through, and a person saw a traceback."""
    with ThreadingHTTPServer(("127.0.0.1", 0), CutShort) as hub:
        Thread(target=hub.serve_forever, daemon=True).start()
        point_hub_at(f"http://127.0.0.1:{hub.server_port}", monkeypatch, tmp_path)
        with pytest.raises(CheckpointError, match=r"facebook/sam-vit-base.*HF_ENDPOINT"):
            load_model("sam_vit_b")
        hub.shutdown()
