"""What is odd in a label config: clicks that would ask nobody, or get no answer."""

from __future__ import annotations

from collections.abc import Iterator

from clickmask.plugin.doctor.findings import Finding
from clickmask.plugin.projects.label_config import LabelConfig

_PROMPTS = ("KeyPoint", "Rectangle")


def config_findings(config: LabelConfig) -> list[Finding]:
    """Look a label config over; nothing where clicks on every image are asked and answered.

    Example:
        >>> from clickmask.plugin.projects.label_config import read_label_config
        >>> config = read_label_config('<View><Image name="i" value="$i"/><Brush name="b" toName="i"/></View>')
        >>> [finding.what for finding in config_findings(config)]
        ['image i has no tag to click with']
    """
    found = [finding for image in config.images for finding in _of_image(config, image)]
    if not config.images and not config.videos and not config.repeating:
        found.append(Finding("wrong", "the label config has no image and no video to draw boxes on"))
    return found


def _of_image(config: LabelConfig, image: str) -> Iterator[Finding]:
    here = [control for control in config.controls if control.to_name == image]
    answering = config.answering(image)
    prompting = [control for control in here if control.kind in _PROMPTS and control.smart is not False]
    if not prompting:
        cure = 'add <KeyPointLabels ... smart="true" smartOnly="true">, as in the label configs that ship'
        yield Finding("wrong", f"image {image} has no tag to click with", cure)
        return
    if not any(control.smart for control in here):
        cure = 'mark the tags to click with smart="true"; until then outlines answer'
        yield Finding("note", f'no tag on image {image} says smart="true"', cure)
    if {control.name for control in answering} <= {control.name for control in prompting if control.only_smart}:
        yield Finding("wrong", f"image {image} has no tag to answer with", "add <PolygonLabels> or <BrushLabels>")
    for control in prompting:
        for label in control.labels:
            if not any(_offers(config, tag.name, label.written) for tag in answering):
                cure = "give the label to a tag without smart, or clicks with it get no answer"
                yield Finding("wrong", f"no tag on image {image} answers {label.value!r}", cure)


def _offers(config: LabelConfig, name: str, label: str) -> bool:
    control = next(control for control in config.controls if control.name == name)
    if control.labelled:
        return config.written(control, (label,)) is not None
    return not config.has_label_tag(control.to_name) or config.label_tag(control.to_name, (label,)) is not None
