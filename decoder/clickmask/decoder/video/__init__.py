"""Videos as frames: files, folders of numbered pictures, arrays, and frames that are still being made."""

from clickmask.decoder.video.frames import ArrayVideo, Frame, LiveVideo, Video
from clickmask.decoder.video.video_file import FileVideo, FolderVideo, frame_name, open_video

__all__ = ["ArrayVideo", "FileVideo", "FolderVideo", "Frame", "LiveVideo", "Video", "frame_name", "open_video"]
