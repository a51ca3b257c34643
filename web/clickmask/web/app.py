"""The page: one canvas component with the service's functions, and the endpoints for programs."""

from __future__ import annotations

import gradio as gr

from clickmask.web.error_answers import answering
from clickmask.web.photos.endpoints import add_endpoints
from clickmask.web.start import LARGEST_UPLOAD_MB, STATIC, Services
from clickmask.web.video.endpoints import add_video_endpoints

SCRIPTS = (  # in order: they share one scope
    "strings.js",
    "border.js",
    "runs.js",
    "view.js",
    "asking.js",
    "steps.js",
    "dom.js",
    "draft.js",
    "stage.js",
    "gestures.js",
    "brush.js",
    "saving.js",
    "thumbnails.js",
    "toasts.js",
    "dialogs.js",
    "keys.js",
    "page.js",
    "pointing.js",
    "folders.js",
    "jobs.js",
    "exporting.js",
    "page_controls.js",
    "state.js",
    "pictures.js",
    "objects.js",
    "class_chips.js",
    "controls.js",
    "settings.js",
    "marking.js",
    "labeling.js",
    "repairing.js",
    "browsing.js",
    "classes.js",
    "everything.js",
    "files.js",
    "app.js",
    "video_icons.js",
    "video_state.js",
    "video_frames.js",
    "video_player.js",
    "video_timeline.js",
    "video_controls.js",
    "video_objects.js",
    "video_list.js",
    "video_prompts.js",
    "video_tracking.js",
    "video_files.js",
    "video_keys.js",
    "video_app.js",
    "modes.js",
    "mount.js",
)


def build_app(services: Services) -> gr.Blocks:
    """Make the page of the services."""
    service, video = services.photos, services.video
    functions = (
        service.start, service.list_folders, service.open_folder, service.save_categories, service.open_picture,
        service.picture_url, service.encode, service.set_status, service.thumbnails, service.segment,
        service.outline, service.fill, service.write, service.labels, service.history, service.add_pictures,
        service.import_labels, service.start_export, service.start_everything, service.job, service.stop_job,
        video.video_list, video.video_thumbnail, video.video_add, video.video_sample, video.video_open,
        video.video_work, video.video_frames, video.video_masks, video.video_prompt, video.video_object,
        video.video_history, video.video_track, video.video_progress, video.video_export,
    )  # fmt: skip
    with gr.Blocks(title="ClickMask", fill_width=True, fill_height=True, analytics_enabled=False) as demo:
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
    """The page's scripts as one, behind what they are told of the server."""
    told = f"const LARGEST_UPLOAD_MB = {LARGEST_UPLOAD_MB};"
    return "\n".join([told, *((STATIC / name).read_text("utf-8") for name in SCRIPTS)])
