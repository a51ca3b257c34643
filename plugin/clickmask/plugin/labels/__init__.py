"""Ready-made label configs, one XML file each; README.md tells which to take."""

from __future__ import annotations

from importlib.resources import files

from clickmask.plugin.errors import StudioError


def label_config_names() -> tuple[str, ...]:
    """Return the names of the label configs, sorted.

    Example:
        >>> label_config_names()
        ('bitmask', 'box', 'brush', 'ellipse', 'everything', 'keypoint', 'polygon', 'vector', 'video')
    """
    names = (entry.name for entry in files(__name__).iterdir())
    return tuple(sorted(name.removesuffix(".xml") for name in names if name.endswith(".xml")))


def label_config(name: str) -> str:
    """Return the XML of a label config.

    Raises:
        StudioError: If there is none of this name; the message lists those there are.

    Example:
        >>> label_config("polygon").splitlines()[-1]
        '</View>'
    """
    if name not in label_config_names():
        raise StudioError(f"unknown label config {name!r}, wanted one of {', '.join(label_config_names())}")
    return files(__name__).joinpath(f"{name}.xml").read_text(encoding="utf-8")
