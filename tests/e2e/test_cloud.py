"""Photos in an S3 bucket, through Label Studio's own S3 storage: presigned links, and without them."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from clickmask.plugin.labels import label_config
from clickmask.plugin.studio.client import StudioClient
from clickmask.plugin.studio.photos import sample_photos
from clickmask.plugin.studio.process import ServerCommand, running
from clickmask.plugin.studio.servers import backend_command
from tests.e2e.masks import holds, mask_of
from tests.e2e.test_label_studio import CHEETAH
from tests.e2e.test_tokens import CLICK
from tests.ports import free_port

pytestmark = pytest.mark.e2e

KEYS = {"aws_access_key_id": "AKIAIOSFODNN7EXAMPLE", "aws_secret_access_key": "made-up", "region_name": "us-east-1"}
BUCKET = "photos"


@dataclass(frozen=True, slots=True)
class Backends:
    """Two backends that differ in whether the bucket's host may have a private address."""

    trusting: str
    distrusting: str


@pytest.fixture(scope="module")
def bucket_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An S3 server with one photo in one bucket."""
    folder, port = tmp_path_factory.mktemp("bucket"), free_port()
    url = f"http://127.0.0.1:{port}"
    program = [str(Path(sys.executable).parent / "moto_server"), "-H", "127.0.0.1", "-p", str(port)]
    with running(ServerCommand("The S3 server", program, os.environ, folder / "log", f"{url}/moto-api/", 120)):
        s3 = boto3.client("s3", endpoint_url=url, **KEYS)
        s3.create_bucket(Bucket=BUCKET)
        s3.upload_file(str(sample_photos(folder)[0]), BUCKET, "animals/cheetah 1.jpg")
        yield url


@pytest.fixture(scope="module")
def backends(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backends]:
    """The backend, started with and without the bucket's host among those it trusts."""
    folder, ports = tmp_path_factory.mktemp("backends"), (free_port(), free_port())
    trusting = backend_command(folder / "a", ports[0], ["--trusted-hosts", "127.0.0.1"], os.environ)
    distrusting = backend_command(folder / "b", ports[1], [], os.environ)
    with running(trusting), running(distrusting):
        yield Backends(*(f"http://127.0.0.1:{port}" for port in ports))


def click(client: StudioClient, bucket_url: str, backend_url: str, *, presign: bool) -> Any:
    """A new project on the bucket; what Label Studio answers to a click on its photo."""
    project = client.create_project(f"Bucket {time.time_ns()}", label_config("polygon"))
    storage = {"project": project, "bucket": BUCKET, "prefix": "animals", "use_blob_urls": True, "presign": presign}
    made = client.call("POST", "/api/storages/s3", json=storage | KEYS | {"s3_endpoint": bucket_url})
    client.call("POST", f"/api/storages/s3/{made['id']}/sync")
    client.connect_backend(project, backend_url)
    [task] = client.call("GET", "/api/tasks", params={"project": project, "fields": "all"})["tasks"]
    [backend] = client.call("GET", "/api/ml", params={"project": project})
    body = {"task": task["id"], "context": {"result": [CLICK]}}
    return client.call("POST", f"/api/ml/{backend['id']}/interactive-annotating", json=body)


def test_a_presigned_link_is_followed(client: StudioClient, bucket_url: str, backends: Backends) -> None:
    answer = click(client, bucket_url, backends.trusting, presign=True)
    assert holds(mask_of(answer["data"]["result"]), CHEETAH)


def test_a_presigned_link_to_a_private_address_is_refused(
    client: StudioClient, bucket_url: str, backends: Backends
) -> None:
    answer = click(client, bucket_url, backends.distrusting, presign=True)
    assert "403" in answer["errors"][0]


def test_without_presigned_links_label_studio_hands_the_photo_through(
    client: StudioClient, bucket_url: str, backends: Backends
) -> None:
    answer = click(client, bucket_url, backends.distrusting, presign=False)
    assert holds(mask_of(answer["data"]["result"]), CHEETAH)
