"""The videos of a label config: where they are, how their frames are counted, which tags draw boxes on them."""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree import ElementTree

from clickmask.plugin.errors import RequestError


@dataclass(frozen=True, slots=True)
class VideoTag:
    """One <Video> that boxes are drawn on.

    Args:
        name: ``to_name`` of its regions.
        source: Where the task's data hold the video, such as "$video".
        framerate: As it stands in the config; "" for Label Studio's default.
        controls: Names of the <VideoRectangle> tags on it, ``from_name`` of its regions.
    """

    name: str
    source: str
    framerate: str
    controls: tuple[str, ...]


def read_video_tags(config: str) -> dict[str, VideoTag]:
    """Find the videos of a label config that have a <VideoRectangle>, by name; other videos hold no boxes.

    Raises:
        RequestError: If the text is no label config.

    Example:
        >>> tags = read_video_tags('<View><Video name="v" value="$clip" frameRate="25"/>'
        ...                        '<VideoRectangle name="box" toName="v"/></View>')
        >>> tags["v"]
        VideoTag(name='v', source='$clip', framerate='25', controls=('box',))
    """
    if "<video" not in config.lower():
        return {}
    try:
        tags = list(ElementTree.fromstring(config).iter())
    except ElementTree.ParseError as error:
        raise RequestError(f"the label config cannot be read: {error}") from error
    described = [(tag.tag.lower(), {name.lower(): value for name, value in tag.attrib.items()}) for tag in tags]
    videos = {}
    for kind, attributes in described:
        name = attributes.get("name", "")
        controls = [
            it.get("name", "") for other, it in described if other == "videorectangle" and it.get("toname") == name
        ]
        if kind == "video" and controls:
            source, rate = attributes.get("value", ""), attributes.get("framerate", "")
            videos[name] = VideoTag(name, source, rate, tuple(controls))
    return videos
