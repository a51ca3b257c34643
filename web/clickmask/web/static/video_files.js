// Videos to open, to add, and to export. (Part of VideoApp.)

const VIDEO_SUFFIXES = [".3gp", ".avi", ".flv", ".gif", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".ogv", ".ts", ".webm", ".wmv"];

const VideoFiles = {
  async openFolder(folder) {
    try {
      const answer = await this.call("video_list", { folder });
      Object.assign(this.state, { folder: answer.folder, videos: answer.videos });
      localStorage.setItem("clickmask-video-folder", answer.folder);
      this.renderFolder(answer);
      const last = localStorage.getItem("clickmask-video");
      const first = answer.videos.find((entry) => entry.path === last) || answer.videos[0];
      if (first) await this.openVideo(first.path);
      else await this.allSaid().then(() => this.closeVideo());
    } catch (failure) {
      this.setPhase("failed");
      this.fail(failure);
      throw failure;
    }
  },

  renderFolder(folder) {
    this.controls.renderFolder(folder);
    this.videos.render();
  },

  goTo(path) {
    this.closeDrawer();
    if (!this.state.video || this.state.video.video !== path) return this.openVideo(path).catch(() => {});
  },

  async openVideo(path) {
    await this.allSaid(); // about the video that is left
    this.closeVideo("loading");
    const opening = this.opening = {};
    try {
      const video = await this.call("video_open", { video: path });
      if (this.opening === opening) this.showVideo(video);
    } catch (failure) {
      if (this.opening !== opening) return;
      this.setPhase("failed");
      this.fail(failure);
    }
  },

  closeVideo(phase = "ready") {
    const { state } = this;
    this.opening = null;
    this.player.open(null);
    this.stage.show(null);
    Object.assign(state, { video: null, picture: null, objects: [], run: null, selected: null, draft: newDraft() });
    state.take({ revision: 0, objects: [], prompts: {}, lanes: {} });
    state.hiddenObjects.clear();
    this.queue.length = 0;
    this.steps.clear();
    this.steps.askedOlder = false;
    state.phase = phase;
    this.controls.render();
    this.objectsChanged();
  },

  showVideo(video) {
    const { state } = this;
    state.video = video;
    state.take(video);
    localStorage.setItem("clickmask-video", video.video);
    const kept = this.keptPlace();
    if (state.thing(kept.selected)) state.selected = kept.selected;
    else if (state.shownThings.length) state.selected = state.shownThings[0].id;
    this.videos.mark();
    this.controls.render();
    this.player.open(video, Math.min(video.frames - 1, kept.frame));
    this.objectsChanged();
    if (video.job) this.watchRun(video.job, 0, false);
  },

  // where a person was in this video, kept over a reload
  keptPlace() {
    const kept = JSON.parse(localStorage.getItem(`clickmask-place:${this.state.video.video}`) || "{}");
    return { frame: 0, selected: null, ...kept };
  },

  keepPlace() {
    const { video, frame, selected } = this.state;
    try {
      localStorage.setItem(`clickmask-place:${video.video}`, JSON.stringify({ frame, selected }));
    } catch { /* a full storage only forgets where one was */ }
  },

  async chooseVideo() {
    this.addVideo(await chooseFile(["video/*", ...VIDEO_SUFFIXES].join()));
  },

  async addVideo(file) {
    if (!file) return;
    const name = file.name;
    this.setPhase("loading");
    try {
      const { path } = await this.upload(file);
      const { video } = await this.call("video_add", { folder: this.state.folder, path, name });
      await this.showAdded(video);
    } catch (failure) {
      this.setPhase(this.state.video ? "ready" : "failed");
      this.failSending(failure);
    }
  },

  async makeSample() {
    try {
      const { video } = await this.call("video_sample", { folder: this.state.folder });
      await this.showAdded(video);
    } catch (failure) {
      this.fail(failure);
    }
  },

  async showAdded(path) {
    const answer = await this.call("video_list", { folder: this.state.folder });
    this.state.videos = answer.videos;
    this.renderFolder(answer);
    await this.openVideo(path);
  },

  async takeFiles(files) {
    for (const file of files) {
      const name = file.name.toLowerCase();
      if (file.type.startsWith("video/") || VIDEO_SUFFIXES.some((suffix) => name.endsWith(suffix))) await this.addVideo(file);
      else this.toasts.show(VIDEO.notAVideo(file.name), "error");
    }
  },

  showExport() {
    if (!this.state.video) return;
    const format = make("select", { name: "format", class: "cm-input" }, Object.entries(VIDEO.formats).map(([value, words]) => make("option", { value }, words)));
    exportDialog(this, {
      fields: [make("label", { class: "cm-field" }, make("span", {}, TEXT.exportFormat), format)],
      begin: async () => {
        await this.allSaid();
        return this.call("video_export", { video: this.state.video.video, format: format.value });
      },
      seen: VIDEO.exporting,
      done: TEXT.exportDone,
    });
    format.focus();
  },
};
