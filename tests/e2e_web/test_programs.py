"""Programs use the app too: Gradio clients and agents over MCP."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from gradio_client import Client, handle_file
from mcp import ClientSession
from mcp.client.streamable_http import streamablehttp_client

from clickmask.decoder import Size
from clickmask.decoder.shapes import polygons_to_mask

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture
def client(url: str) -> Client:
    return Client(url, verbose=False)


def test_only_the_documented_endpoints_are_listed_with_names_and_types(client: Client) -> None:
    endpoints = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    photos = {"/list_pictures", "/predict", "/export_labels", "/import_labels"}
    assert set(endpoints) == photos | {"/list_videos", "/track_video", "/track_uploaded_video"}
    names = [parameter["parameter_name"] for parameter in endpoints["/predict"]["parameters"]]
    assert names == ["folder", "picture", "points", "labels", "box"]


def test_a_client_lists_predicts_imports_and_exports(client: Client, folder: Path, tmp_path: Path) -> None:
    pictures = client.predict(str(folder), api_name="/list_pictures")
    assert [picture["name"] for picture in pictures] == ["cheetah.jpg", "cheetah1.jpg", "lion.jpg", "tower.jpg"]
    answer = client.predict(str(folder), "cheetah.jpg", [[250, 160]], [1], [], api_name="/predict")
    mask = polygons_to_mask(answer["segmentation"], Size(343, 502))
    assert mask[160, 250]
    assert mask.sum() == answer["area"]

    labels = {
        "images": [{"id": 5, "file_name": "cheetah.jpg", "width": 502, "height": 343}],
        "categories": [{"id": 3, "name": "cheetah"}],
        "annotations": [{**answer, "image_id": 5, "category_id": 3}],
    }
    file = tmp_path / "coco.json"
    file.write_text(json.dumps(labels))
    assert client.predict(str(folder), handle_file(str(file)), api_name="/import_labels") == 1
    exported = client.predict(str(folder), states="todo", api_name="/export_labels")
    (annotation,) = json.loads(Path(exported).read_text())["annotations"]
    assert annotation["segmentation"] == answer["segmentation"]


def test_mistakes_of_a_program_are_told(client: Client, folder: Path) -> None:
    mistakes: list[tuple[tuple[Any, ...], str]] = [
        ((str(folder), "nothing.jpg", [[1, 1]], [1], []), "there is no picture 'nothing.jpg'"),
        ((str(folder), "lion.jpg", [[1, 1]], [], []), "1 points and 0 labels"),
        (("/etc", "lion.jpg", [[1, 1]], [1], []), "outside the folders this server may open"),
    ]
    for arguments, message in mistakes:
        with pytest.raises(Exception, match=message):
            client.predict(*arguments, api_name="/predict")


def test_an_agent_finds_and_calls_the_tools(url: str, folder: Path) -> None:
    async def talk() -> tuple[set[str], Any]:
        async with (
            streamablehttp_client(f"{url}gradio_api/mcp/") as (reads, writes, _),
            ClientSession(reads, writes) as session,
        ):
            await session.initialize()
            tools = (await session.list_tools()).tools
            (name,) = [tool.name for tool in tools if tool.name.endswith("predict")]
            arguments = {"folder": str(folder), "picture": "lion.jpg", "points": [[128, 128]], "labels": [1], "box": []}
            return {tool.name.split("web_")[-1] for tool in tools}, await session.call_tool(name, arguments)

    with ThreadPoolExecutor(1) as thread:  # the browser tests' loop runs in this one
        names, answer = thread.submit(asyncio.run, talk()).result()
    assert {"list_pictures", "predict", "export_labels", "import_labels"} <= {name.lstrip("_") for name in names}
    assert not answer.isError
    assert "segmentation" in answer.content[0].text
