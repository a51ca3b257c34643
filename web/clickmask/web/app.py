"""The page: one canvas component with the service's functions, and the endpoints for programs."""

from __future__ import annotations

import json

import gradio as gr

from clickmask.web.error_answers import answering
from clickmask.web.page_files import STATIC, page_address
from clickmask.web.photos.endpoints import add_endpoints
from clickmask.web.start import LARGEST_UPLOAD_MB, Services
from clickmask.web.video.endpoints import add_video_endpoints


def build_app(services: Services) -> gr.Blocks:
    """Make the page of the services."""
    service, video = services.photos, services.video
    functions = (
        service.start, service.list_folders, service.open_folder, service.save_categories, service.open_picture,
        service.picture_url, service.encode, service.set_status, service.thumbnails, service.segment,
        service.outline, service.fill, service.write, service.labels, service.history, service.add_pictures,
        service.import_labels, service.start_export, service.start_everything, service.job, service.stop_job,
        service.merge_category, service.start_boxes, service.start_propagation, service.start_similar,
        service.start_similar_after, service.start_learning, service.learning, service.roll_back_learning,
        video.video_list, video.video_thumbnail, video.video_add, video.video_sample, video.video_open,
        video.video_work, video.video_frames, video.video_masks, video.video_prompt, video.video_object,
        video.video_history, video.video_track, video.video_progress, video.video_export, video.video_to_photos,
    )  # fmt: skip
    with gr.Blocks(
        title="ClickMask",
        fill_width=True,
        fill_height=True,
        analytics_enabled=False,
        delete_cache=(3600, 24 * 3600),
    ) as demo:
        gr.HTML(
            html_template=(STATIC / "page.html").read_text("utf-8"),
            js_on_load=_script(),
            server_functions=[answering(function) for function in functions],
            apply_default_css=False,
            elem_id="clickmask",
        )
        add_endpoints(service)
        add_video_endpoints(video, service.start_folder)
    return demo


def _script() -> str:
    """Import the page's modules and put them to work on the element Gradio made."""
    told = json.dumps({"largestUploadMb": LARGEST_UPLOAD_MB})
    module = f'new URL("{page_address()}/mount.js", document.baseURI)'
    return f"import({module}).then(({{ mount }}) => mount(element, server, upload, {told}));"
