"""The adapter for ``label-studio-ml``, on stand-ins for what it uses of 1.0.9 and 2.x.

The real 1.0.9 is started in tests/e2e/test_runner.py. 2.x is not on PyPI, so no test starts it.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from clickmask.plugin.build import Backend
from clickmask.plugin.errors import RequestError, SettingsError
from tests.plugin.conftest import recorded, setup_body
from tests.plugin.studio_server import LEGACY, Studio

_CACHE_AT_IMPORT = "import os\nCACHE_FOLDER = os.environ.get('MODEL_DIR', '.')\n"

MODEL_2 = """
import json
KEPT = {}
class LabelStudioMLBase:
    def __init__(self, project_id=None, label_config=None):
        self.project_id = project_id or ''
        self.set('label_config', label_config)
        self.setup()
    def get(self, key):
        return KEPT.get((self.project_id, key))
    def set(self, key, value):
        assert isinstance(value, str)
        KEPT[self.project_id, key] = value
    @property
    def extra_params(self):
        return json.loads(self.get('extra_params') or '{}')
    @property
    def label_config(self):
        return self.get('label_config')
"""
API_2 = """
def init_app(model_class, basic_auth_user=None, basic_auth_pass=None):
    return {'model': model_class.__name__, 'user': basic_auth_user, 'password': basic_auth_pass}
"""
MODEL_1 = """
class LabelStudioMLBase:
    def __init__(self, label_config=None, train_output=None, **kwargs):
        self.label_config = label_config
"""
API_1 = """
def init_app(model_class, **kwargs):
    return {'model': model_class.__name__, **kwargs}
"""

Install = Callable[[str, str], None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Make a stand-in importable; the environment is a fresh one."""
    folder = tmp_path / "site" / "label_studio_ml"
    monkeypatch.setenv("CLICKMASK_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("MODEL_DIR", "")  # so that it is put back afterwards
    monkeypatch.delenv("MODEL_DIR")
    for name in ("BASIC_AUTH_USER", "BASIC_AUTH_PASS", "LABEL_STUDIO_URL", "LABEL_STUDIO_API_KEY"):
        monkeypatch.delenv(name, raising=False)

    def write(model: str, api: str) -> None:
        folder.mkdir(parents=True)
        (folder / "__init__.py").write_text("")
        (folder / "model.py").write_text(_CACHE_AT_IMPORT + model)
        (folder / "api.py").write_text(api)
        monkeypatch.syspath_prepend(str(folder.parent))

    _forget_modules()
    yield write
    _forget_modules()


def _forget_modules() -> None:
    for name in [name for name in sys.modules if name.startswith(("label_studio_ml", "runner"))]:
        del sys.modules[name]


def start(user: str | None = None, password: str | None = None) -> Any:
    """What ``label-studio-ml start plugin/runner`` serves."""
    return importlib.import_module("runner._wsgi").make_app(user, password)


def test_2_keeps_its_cache_in_our_folder(install: Install, tmp_path: Path) -> None:
    """It reads MODEL_DIR while it is imported, and that was set only afterwards: cache.db lay in the working folder."""
    install(MODEL_2, API_2)
    assert start()["model"] == "ClickMaskModel"
    cache_folder = importlib.import_module("label_studio_ml.model").CACHE_FOLDER
    assert Path(cache_folder) == tmp_path / "data" / "runner"
    assert (tmp_path / "data").stat().st_mode & 0o077 == 0, "the records there are nobody else's to read"


def test_1_is_told_its_folder(install: Install, tmp_path: Path) -> None:
    install(MODEL_1, API_1)
    assert start() == {"model": "ClickMaskModel", "model_dir": str(tmp_path / "data" / "runner")}


def test_2_asks_for_the_password_of_the_command_line_or_the_environment(
    install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(MODEL_2, API_2)
    assert (start("ann", "secret")["user"], start("ann", "secret")["password"]) == ("ann", "secret")
    monkeypatch.setenv("BASIC_AUTH_USER", "bob")
    monkeypatch.setenv("BASIC_AUTH_PASS", "hidden")
    assert (start()["user"], start()["password"]) == ("bob", "hidden")


def test_1_does_not_start_with_a_password_it_would_not_ask_for(install: Install) -> None:
    install(MODEL_1, API_1)
    with pytest.raises(SettingsError, match=r"1\.0\.9 asks nobody"):
        start("ann", "secret")


def test_the_command_line_takes_what_label_studio_ml_start_passes_on(
    install: Install, capsys: pytest.CaptureFixture[str]
) -> None:
    install(MODEL_1, API_1)
    with pytest.raises(SystemExit):
        importlib.import_module("runner._wsgi").main(["--basic-auth-user", "ann", "--basic-auth-pass", "secret"])
    assert "error: got a user name and a password" in capsys.readouterr().err


@pytest.fixture
def model_of_2(
    install: Install, make_backend: Callable[..., Backend], studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], Any]:
    """Makes the object that 2.x makes for every request, around a backend that knows the running Label Studio."""
    install(MODEL_2, API_2)
    backend = make_backend(label_studio_url=studio.url, label_studio_api_key=LEGACY)
    module = importlib.import_module("runner.model")
    monkeypatch.setattr(module, "shared_predictor", lambda: backend.predictor)
    return lambda: module.ClickMaskModel(project_id="1", label_config=setup_body(studio)["schema"])


def test_2_answers_a_click_and_nothing_without(model_of_2: Callable[[], Any]) -> None:
    """Of a request without context 2.x makes an empty one, which for several tasks was refused."""
    click = recorded("click")
    (answer,) = model_of_2().predict(click["tasks"], context=click["params"]["context"], login=None, password=None)
    assert answer["result"]
    assert answer["model_version"] == model_of_2().get("model_version") == "clickmask-nano"
    assert model_of_2().predict(recorded("task_opened")["tasks"], context=None) == [[]]
    assert model_of_2().predict([{"id": 1, "data": {}}, {"id": 2, "data": {}}], context={}) == [[], []]


def test_2_keeps_options_that_label_studio_sends_as_an_object(model_of_2: Callable[[], Any]) -> None:
    click = recorded("click")
    model_of_2().set_extra_params({"min_score": 1})
    assert model_of_2().predict(click["tasks"], context=click["params"]["context"])[0]["result"] == []
    model_of_2().set_extra_params('{"min_score": 0}')
    assert model_of_2().predict(click["tasks"], context=click["params"]["context"])[0]["result"]


def test_2_does_not_keep_wrong_options(model_of_2: Callable[[], Any]) -> None:
    """Kept, they made every later request fail, the one with the right options too."""
    with pytest.raises(RequestError, match="no JSON"):
        model_of_2().set_extra_params("{rule}")
    model_of_2().set_extra_params({"rule": "iou"})


def test_2_records_what_is_accepted(model_of_2: Callable[[], Any]) -> None:
    body = recorded("annotation_created")
    assert model_of_2().fit(body.pop("action"), body)["event"] == "ANNOTATION_CREATED"
