"""Every error a person can cause, in one tree.

ClickMaskError
├── ImageError        a picture that cannot be read or is refused
├── PromptError       points, boxes or mask prompts that mean nothing
├── CheckpointError   unknown model, missing, broken or foreign weights
├── DeviceError       a GPU that is too small for what is asked of it
├── ClusterError      other machines that are not there, or are of another version
├── ShapeError        masks, polygons and run lengths that are malformed
├── DatasetError      annotation files and folders that cannot be read or written
├── VideoError        videos that cannot be opened, decoded or tracked
└── LearningError     accepted objects that nothing can be learned from, or what was learned cannot be kept

A message says what is wrong, what was got and what was wanted:
``point (812.0, 90.0) is outside the 640x480 image``.
"""


class ClickMaskError(Exception):
    """Base of all errors whose message is meant for a person."""


class ImageError(ClickMaskError):
    """A picture cannot be read or is refused."""


class PromptError(ClickMaskError):
    """A prompt has no meaning for its image."""


class CheckpointError(ClickMaskError):
    """A model name or its weights cannot be used."""


class DeviceError(ClickMaskError):
    """A device cannot compute what is asked of it."""


class ClusterError(ClickMaskError):
    """Other machines cannot be reached, or cannot do what is asked of them."""


class ShapeError(ClickMaskError):
    """A mask, polygon or run-length code is malformed."""


class DatasetError(ClickMaskError):
    """An annotation file or folder cannot be read or written."""


class VideoError(ClickMaskError):
    """A video cannot be opened, decoded or tracked."""


class LearningError(ClickMaskError):
    """Nothing can be learned from these objects, or what was learned cannot be kept."""
