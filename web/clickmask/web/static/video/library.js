// @ts-check
// Videos: the folder that has them, open, add, export.

import { icon, make } from "../shared/dom.js";
import { newDraft } from "../shared/draft.js";
import { exportDialog } from "../shared/export_dialog.js";
import { chooseFiles } from "../shared/file_choice.js";
import { watchJob } from "../shared/jobs.js";
import { TEXT, VIDEO } from "../shared/strings.js";

const VIDEO_SUFFIXES = [".3gp", ".avi", ".flv", ".gif", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".ogv", ".ts", ".webm", ".wmv"];

export class VideoLibrary {
  /** @param {import("./app.js").VideoApp} page */
  constructor(page) {
    this.page = page;
    this.opening = null; // an older opening stops by itself
  }

  get state() {
    return this.page.state;
  }

  async openFolder(folder) {
    try {
      const answer = await this.page.call("video_list", { folder });
      Object.assign(this.state, { folder: answer.folder, videos: answer.videos });
      localStorage.setItem("clickmask-video-folder", answer.folder);
      this.renderFolder(answer);
      const last = localStorage.getItem("clickmask-video");
      const first = answer.videos.find((entry) => entry.path === last) || answer.videos[0];
      if (first) await this.open(first.path);
      else await this.page.prompts.allSaid().then(() => this.close());
    } catch (failure) {
      this.page.setPhase("failed");
      this.page.fail(failure);
      throw failure;
    }
  }

  renderFolder(folder) {
    this.page.controls.renderFolder(folder);
    this.page.panels.videos.render();
  }

  goTo(path) {
    this.page.closeDrawer();
    if (!this.state.video || this.state.video.video !== path) return this.open(path).catch(() => {});
  }

  async open(path) {
    await this.page.prompts.allSaid(); // about the video that is left
    this.close("loading");
    const opening = this.opening = {};
    try {
      const video = await this.page.call("video_open", { video: path });
      if (this.opening === opening) this.show(video);
    } catch (failure) {
      if (this.opening !== opening) return;
      this.page.setPhase("failed");
      this.page.fail(failure);
    }
  }

  close(phase = "ready") {
    const { state } = this;
    this.opening = null;
    this.page.player.open(null);
    this.page.stage.show(null);
    Object.assign(state, { video: null, picture: null, objects: [], run: null, selected: null, draft: newDraft() });
    state.take({ revision: 0, objects: [], prompts: {}, lanes: {} });
    state.hiddenObjects.clear();
    this.page.prompts.queue.length = 0;
    this.page.history.forget();
    state.phase = phase;
    this.page.controls.render();
    this.page.objectsChanged();
  }

  show(video) {
    const { state } = this;
    state.video = video;
    state.take(video);
    localStorage.setItem("clickmask-video", video.video);
    const kept = this.keptPlace();
    if (state.thing(kept.selected)) state.selected = kept.selected;
    else if (state.shownThings.length) state.selected = state.shownThings[0].id;
    this.page.panels.videos.mark();
    this.page.controls.render();
    this.page.player.open(video, Math.min(video.frames - 1, kept.frame));
    this.page.objectsChanged();
    if (video.job) this.page.tracking.watch(video.job, 0, false);
  }

  // where a person was in this video, kept over a reload
  keptPlace() {
    const kept = JSON.parse(localStorage.getItem(`clickmask-place:${this.state.video.video}`) || "{}");
    return { frame: 0, selected: null, ...kept };
  }

  keepPlace() {
    const { video, frame, selected } = this.state;
    try {
      localStorage.setItem(`clickmask-place:${video.video}`, JSON.stringify({ frame, selected }));
    } catch { /* a full storage only forgets where one was */ }
  }

  async choose() {
    const [file] = await chooseFiles(["video/*", ...VIDEO_SUFFIXES].join());
    if (file) await this.add(file);
  }

  async add(file) {
    const { name } = file;
    this.page.setPhase("loading");
    try {
      const { path } = await this.page.upload(file);
      const { video } = await this.page.call("video_add", { folder: this.state.folder, path, name });
      await this.showAdded(video);
    } catch (failure) {
      this.page.setPhase(this.state.video ? "ready" : "failed");
      this.page.failSending(failure);
    }
  }

  async makeSample() {
    try {
      const { video } = await this.page.call("video_sample", { folder: this.state.folder });
      await this.showAdded(video);
    } catch (failure) {
      this.page.fail(failure);
    }
  }

  async showAdded(path) {
    const answer = await this.page.call("video_list", { folder: this.state.folder });
    this.state.videos = answer.videos;
    this.renderFolder(answer);
    await this.open(path);
  }

  async takeFiles(files) {
    for (const file of files) {
      const name = file.name.toLowerCase();
      if (file.type.startsWith("video/") || VIDEO_SUFFIXES.some((suffix) => name.endsWith(suffix))) await this.add(file);
      else this.page.toasts.show(VIDEO.notAVideo(file.name), "error");
    }
  }

  // frames and their masks as a folder of photos
  async toPhotos() {
    const { page } = this;
    const words = await page.dialogs.ask(VIDEO.toPhotosEvery, "10");
    if (words === null) return;
    const every = Number(words);
    if (!Number.isInteger(every) || every < 1) return page.toasts.show(TEXT.wantedCount(words), "error");
    try {
      await page.prompts.allSaid();
      const { job } = await page.call("video_to_photos", { video: this.state.video.video, every });
      const { folder } = await watchJob(page.call, job, ({ done, total }) => page.controls.renderPhase("encoding", VIDEO.exporting(done, total)));
      const open = make("button", { type: "button", class: "cm-link", onclick: () => page.openPhotos(folder) }, VIDEO.openThere);
      page.toasts.show(VIDEO.toPhotosDone, "good", open);
    } catch (failure) {
      page.fail(failure);
    }
    page.controls.renderState();
  }

  showExport() {
    if (!this.state.video) return;
    const format = make("select", { name: "format", class: "cm-input" }, Object.entries(VIDEO.formats).map(([value, words]) => make("option", { value }, words)));
    exportDialog(this.page, {
      fields: [make("label", { class: "cm-field" }, make("span", {}, TEXT.exportFormat), format),
        make("button", { type: "button", class: "cm-plain cm-to-photos", onclick: () => this.toPhotos() }, icon("images"), VIDEO.toPhotos)],
      begin: async () => {
        await this.page.prompts.allSaid();
        return this.page.call("video_export", { video: this.state.video.video, format: format.value });
      },
      seen: VIDEO.exporting,
      done: ({ objects }) => TEXT.exportDone(objects),
    });
    format.focus();
  }
}
