"""The Dockerfile and the compose files hold what their checkers, the settings and each other say.

They are not built here: that needs a container engine. docs/docker.md says what was built and run.
"""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from clickmask.decoder.cluster.serve import DEPLOYMENT, OPTIONS
from clickmask.plugin.settings import all_settings
from clickmask.plugin.studio.login import Login
from clickmask.plugin.studio.servers import label_studio_command

DOCKER = Path(__file__).parents[2] / "docker"
COMPOSE_FILES = ["compose.yaml", "compose.gpu.yaml", "ray.yaml"]


def compose(name: str) -> Any:
    return yaml.safe_load((DOCKER / name).read_text())


def test_hadolint_finds_nothing_in_the_dockerfile() -> None:
    program = Path(sys.executable).parent / "hadolint"
    checked = subprocess.run([program, DOCKER / "Dockerfile"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("name", COMPOSE_FILES)
def test_compose_files_follow_the_compose_specification(name: str) -> None:
    program = Path(sys.executable).parent / "check-jsonschema"
    command = [str(program), "--builtin-schema", "vendor.compose-spec", str(DOCKER / name)]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout


def test_the_manifest_of_kubernetes_follows_its_schema() -> None:
    program = Path(sys.executable).parent / "check-jsonschema"
    schema = Path(__file__).with_name("rayservice.schema.json")
    command = [str(program), "--schemafile", str(schema), str(DOCKER / "kuberay.yaml")]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout


def test_the_decoders_are_deployed_as_one_config_says() -> None:
    manifest, config = compose("kuberay.yaml")["spec"], compose("serve.yaml")
    there = yaml.safe_load(manifest["serveConfigV2"])
    assert there["http_options"] == config["http_options"]
    for one in (there, config):
        (one["applications"][0]["deployments"][0]).pop("num_replicas")
    assert there == config
    module, _, name = config["applications"][0]["import_path"].partition(":")
    assert callable(getattr(importlib.import_module(module), name))
    assert set(config["applications"][0]["args"]) <= set(OPTIONS)
    assert config["applications"][0]["deployments"][0]["name"] == DEPLOYMENT


def test_one_version_of_ray_is_named() -> None:
    (pinned,) = re.findall(r"^ray==(\S+)", (DOCKER.parent / "requirements" / "ray.txt").read_text(), re.MULTILINE)
    assert compose("kuberay.yaml")["spec"]["rayClusterConfig"]["rayVersion"] == pinned


def test_every_variable_of_the_compose_files_is_in_the_example() -> None:
    texts = [(DOCKER / name).read_text() for name in COMPOSE_FILES]
    used = {name for text in texts for name in re.findall(r"\$\{([A-Z_]+)", text)}
    offered = set(re.findall(r"^#?([A-Z_]+)=", (DOCKER / ".env.example").read_text(), re.MULTILINE))
    assert used == offered


def test_the_backend_gets_only_variables_it_reads() -> None:
    read = {setting.variable for setting in all_settings()}
    for name in ("compose.yaml", "ray.yaml"):
        assert set(compose(name)["services"]["plugin"]["environment"]) <= read
    dockerfile = set(re.findall(r"(CLICKMASK_[A-Z_]+)=", (DOCKER / "Dockerfile").read_text()))
    assert dockerfile
    assert dockerfile <= read


def test_label_studio_may_reach_the_backend_as_in_the_studio(tmp_path: Path) -> None:
    """Without this variable, connecting answers 403: containers have private addresses."""
    name = "LABEL_STUDIO_USE_DEFAULT_BANNED_SUBNETS"
    studio = label_studio_command(tmp_path, tmp_path, Login("", "", ""), 8080, {}).environ
    assert compose("compose.yaml")["services"]["label-studio"]["environment"][name] == studio[name] == "false"


def test_no_service_listens_outside_this_machine() -> None:
    services = compose("compose.yaml")["services"].values()
    ports = [port for service in services for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_containers_do_not_run_as_root() -> None:
    stages = re.split(r"^FROM ", (DOCKER / "Dockerfile").read_text(), flags=re.MULTILINE)[1:]
    final = [stage for stage in stages if " AS base" not in stage.splitlines()[0]]
    assert len(final) == 3
    assert all(re.search(r"^USER 1000", stage, re.MULTILINE) for stage in final)
