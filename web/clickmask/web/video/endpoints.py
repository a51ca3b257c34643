"""Functions for programs that track videos: Gradio clients call them by name, and agents as MCP tools."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from clickmask.web.photos.endpoints import told
from clickmask.web.video.service import VideoService


def add_video_endpoints(service: VideoService, start_folder: Path) -> None:
    """Give the Blocks being built the public endpoints of a service."""

    def list_videos(folder: str) -> list[dict[str, Any]]:
        """List the video files and folders of numbered frames in a folder, at any depth.

        Args:
            folder: Path of the folder on the server; empty for the one the app starts with.
        """
        with told():
            found = service.video_list({"folder": folder or str(start_folder)})["videos"]
            # The clients take whatever has a "path" for a file to download.
            return [{"video" if key == "path" else key: value for key, value in entry.items()} for entry in found]

    def track_video(video: str, prompts: list[dict[str, Any]], file_format: str = "youtube-vis") -> gr.FileData:
        """Follow objects through a video that is on the server, both ways, and return the tracks as a file.

        What persons did with the video in the app is neither used nor changed.

        Args:
            video: Path of a video file or of a folder of frames, see list_videos.
            prompts: What to follow: {"object": number, "frame": from 0, "points": [[x, y, 1 or 0], ...] and or
                "box": [x0, y0, x1, y1] in pixels, "name": class of the object}; several for one object correct it.
            file_format: youtube-vis, mots, coco, label-studio, or mp4 for the video with the objects drawn in.
        """
        with told():
            return gr.FileData(path=str(service.track_once(service.gate.video(video), prompts, file_format)))

    def track_uploaded_video(
        file: gr.FileData, prompts: list[dict[str, Any]], file_format: str = "youtube-vis"
    ) -> gr.FileData:
        """Follow objects through a video that is sent along, both ways, and return the tracks as a file.

        Args:
            file: The video.
            prompts: As for track_video.
            file_format: As for track_video.
        """
        with told():
            return gr.FileData(path=str(service.track_once(service.gate.upload(file), prompts, file_format)))

    for function in (list_videos, track_video, track_uploaded_video):
        gr.api(function, api_name=function.__name__, concurrency_limit=1)
