"""The usual way to click in Gradio: ``gr.Image.select`` sends the overlaid picture back. Same model, same engine.

``python -m benchmarks.web_rival PORT PICTURE`` serves one picture; ``benchmarks.web`` clicks on it.
"""

from __future__ import annotations

import sys
from pathlib import Path

import gradio as gr
import numpy as np
import torch
from numpy.typing import NDArray

from clickmask.decoder import Engine, ImageSource, MaskRule, Point, Prompt, load_image, load_model

COLOR = np.array([59, 130, 246], np.float32)


def build_rival(picture: Path) -> gr.Blocks:
    """A page with one picture that is answered with its copy, mask blended in."""
    torch.set_num_threads(1)  # as ClickMask does, so that both wait equally long for the model
    image = load_image(picture)
    engine = Engine(load_model())
    source = ImageSource(str(picture), lambda: image)
    engine.encode(source)

    def answer(event: gr.SelectData) -> NDArray[np.uint8]:
        x, y = event.index
        mask = engine.segment(source, Prompt((Point(float(x), float(y)),)), MaskRule(zoom=False)).mask()
        shown = image.copy()
        shown[mask] = (0.55 * image[mask] + 0.45 * COLOR).astype(np.uint8)
        return shown

    with gr.Blocks(analytics_enabled=False) as demo:
        view = gr.Image(image, interactive=False, elem_id="rival", height=600)
        view.select(answer, None, view)
    return demo


if __name__ == "__main__":
    build_rival(Path(sys.argv[2])).launch(server_port=int(sys.argv[1]), quiet=True, ssr_mode=False)
