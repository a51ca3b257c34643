// The video page: owns the state, the stage, the player and the panels, and ties them together.
// Like App it knows nothing of Gradio.

class VideoApp {
  constructor(root, call, upload) {
    this.root = root;
    this.call = call;
    this.upload = upload;
    this.roots = [];
    this.queue = []; // what was said and has not arrived at the server
    this.saving = "saved";
    this.state = new VideoState();
    this.state.opacity = readOpacity(this.state.opacity);
    this.steps = new Steps(() => this.controls && this.controls.render());
    this.abort = new AbortController();
    this.toasts = new Toasts(root.querySelector(".cm-toasts"));
    this.dialogs = new Dialogs(root);
    this.stage = new Stage(root.querySelector(".cm-stage"), this.state, () => {});
    this.stage.view.bar = 62;
    this.player = new Player(call, {
      shown: (frame) => this.frameShown(frame),
      moved: () => this.playheadMoved(),
      failed: (failure) => this.frameFailed(failure),
    });
    this.timeline = new Timeline(root, this);
    this.objects = new VideoObjectsPanel(root, this);
    this.videos = new VideosPanel(root, this);
    this.controls = new VideoControls(root, this);
    this.buildView();
    this.gestures = new Gestures(this.stage, this, this.abort.signal);
    bindVideoKeys(this, this.abort.signal);
    this.bindPage();
  }

  bindPage() {
    const { signal } = this.abort;
    const backToCanvas = (event) => { if (event.detail && !event.target.closest("dialog, select, input, label")) this.focus(); };
    this.root.addEventListener("click", backToCanvas, { signal, capture: true }); // after a click of the mouse keys work at once
    this.root.addEventListener("dragover", (event) => { event.preventDefault(); this.root.dataset.dropping = "yes"; }, { signal });
    this.root.addEventListener("dragleave", () => { delete this.root.dataset.dropping; }, { signal });
    this.root.addEventListener("drop", (event) => this.dropped(event), { signal });
    window.addEventListener("beforeunload", (event) => { if (this.queue.length) event.preventDefault(); }, { signal });
  }

  buildView() {
    const opacity = slider(TEXT.opacity, 0, 1, 0.05, this.state.opacity, (value) => {
      this.state.opacity = value;
      localStorage.setItem("clickmask-video-opacity", value);
      this.stage.refresh();
    }, (value) => `${Math.round(value * 100)}%`);
    this.root.querySelector(".cm-view").append(make("h2", {}, TEXT.view), opacity.node);
  }

  async start() {
    this.controls.render();
    this.controls.renderSaving("saved");
    this.objects.render();
    try {
      const answer = await this.call("start", {});
      this.roots = answer.roots;
      this.root.querySelector(".cm-model").textContent = answer.model;
      const last = localStorage.getItem("clickmask-video-folder") || localStorage.getItem("clickmask-folder");
      const inside = last && answer.roots.some((root) => last === root || last.startsWith(`${root}/`));
      await this.openFolder(inside ? last : answer.folder).catch(() => inside && this.openFolder(answer.folder).catch(() => {}));
      this.focus();
    } catch (failure) {
      this.setPhase("failed");
      this.controls.renderBegin();
      this.fail(failure);
    }
  }

  // the page comes back, or steps aside
  enter() {
    if (this.state.folder) this.call("video_list", { folder: this.state.folder }).then((answer) => { this.state.videos = answer.videos; this.renderFolder(answer); }, () => {});
    this.timeline.changed();
  }

  leave() {
    this.player.pause();
    this.root.remove();
  }

  fail(failure) {
    console.warn(failure);
    this.toasts.show(failure.message, "error");
  }

  focus() {
    this.root.focus({ preventScroll: true });
  }

  help() {
    this.dialogs.help(VIDEO_HELP);
  }

  setPhase(phase) {
    this.state.phase = phase;
    this.controls.renderState();
  }

  setSaving(phase, message = "") {
    this.saving = phase;
    this.controls.renderSaving(phase, message);
  }

  // the playhead

  seek(frame) {
    if (!this.state.video) return;
    this.player.pause();
    this.follow(false);
    this.player.show(frame);
  }

  step(by) {
    this.seek(this.player.frame + by);
  }

  // to the next frame worth a look: said something there, or the object is lost from there on
  jump(way) {
    const { state } = this;
    if (!state.video) return;
    const lanes = state.selected === null ? [...state.lanes.values()] : [state.lanes.get(state.selected)];
    const worth = (at) => lanes.some(({ letters }) => "pn".includes(letters[at])
      || ("lL".includes(letters[at]) && !"lL".includes(letters[at - 1] || ".")));
    for (let at = state.frame + way; at >= 0 && at < state.video.frames; at += way) if (worth(at)) return this.seek(at);
  }

  playheadMoved() {
    const { state, player } = this;
    state.frame = player.frame;
    if (!state.video) return;
    this.controls.renderPlace();
    this.timeline.moved();
    this.keepPlace();
  }

  frameShown(frame) {
    const { state, stage } = this;
    const bitmap = this.player.frames.picture(frame);
    if (!state.picture) {
      state.picture = { width: state.video.width, height: state.video.height };
      stage.levels = [bitmap];
      stage.extent = state.picture;
      stage.fit();
      this.zoomed();
    } else {
      stage.replace(bitmap);
    }
    if (state.phase === "loading") this.setPhase("ready");
    this.showMasks();
  }

  // masks and marks of the frame that is shown
  showMasks() {
    const { state } = this;
    const masks = this.player.frames.masks.get(this.player.painted) || new Map();
    state.objects = state.shownThings.filter((thing) => masks.has(thing.id)).map((thing) => ({ id: thing.id, category: thing.id, mask: masks.get(thing.id) }));
    const said = state.selected === null ? null : state.promptAt(state.selected, state.frame);
    state.draft = newDraft(said ? { points: said.points, box: said.box } : {});
    this.stage.refresh();
    this.objects.update();
    this.controls.renderHint();
    this.controls.renderScore(state.selected === null ? "" : this.aboutFrame(state.selected, state.frame));
  }

  frameFailed(failure) {
    this.setPhase("failed");
    this.fail(failure);
    if (failure.kind === "Offline") setTimeout(() => { if (this.state.video) { this.setPhase("ready"); this.player.frames.pump(); } }, 2000);
  }

  objectsChanged() {
    if (this.state.video) this.keepPlace();
    this.objects.render();
    this.videos.mark();
    this.controls.render();
    this.timeline.changed();
    if (this.player.isShown) this.showMasks();
    else this.stage.refresh();
  }

  aboutFrame(object, frame) {
    const { state } = this;
    const letter = state.letterAt(object, frame);
    const lane = state.lanes.get(object);
    const sure = lane && "sSp".includes(letter) ? ` · ${VIDEO.sure(Math.round(lane.confidence[frame] / 2.55))}` : "";
    return VIDEO.states[letter] + sure;
  }

  // what to do next, in a word
  hint() {
    const { state } = this;
    if (!state.video || state.run || this.player.playing) return null;
    const track = { words: VIDEO.trackAll, key: "T", strong: true, run: () => this.track("both") };
    const lanes = state.shownThings.map((thing) => state.lanes.get(thing.id)).filter(Boolean);
    if (!state.shownThings.length) return { text: VIDEO.hintClick };
    if (state.selected === null) return { text: VIDEO.hintNew };
    if (lanes.some(({ letters }) => letters.includes("S") || letters.includes("L"))) return { text: VIDEO.hintOutdated, action: track };
    if (lanes.some(({ letters }) => letters.includes(".") && letters.includes("p"))) return { text: VIDEO.hintTrack, action: track };
    if (state.letterAt(state.selected, state.frame) !== "l") return null;
    return { text: VIDEO.hintLost, action: { words: VIDEO.notHere, key: "M", run: () => this.markAbsent() } };
  }

  // gestures and keys

  escape() {
    if (this.state.run) this.stopTracking();
    else this.clearHere();
  }

  swap() {
    this.state.swapped = !this.state.swapped;
    this.controls.render();
  }

  toggleMasks() {
    this.state.masksVisible = !this.state.masksVisible;
    this.stage.refresh();
  }

  spaceDown(isRepeated) {
    if (isRepeated) return;
    this.gestures.space = true;
    this.spaceUsed = false;
    this.root.dataset.moving = "true";
  }

  // space alone plays; space with a drag has moved the picture
  spaceUp() {
    if (!this.gestures.space) return;
    this.gestures.space = false;
    this.root.dataset.moving = "false";
    if (!this.spaceUsed) this.player.toggle();
  }

  rubber(box) {
    this.stage.rubber = box;
    this.stage.refresh();
  }

  gestureCancelled() {
    this.stage.rubber = null;
    this.stage.refresh();
  }

  pointed(at) {
    const { picture } = this.state;
    const inside = picture && at[0] >= 0 && at[1] >= 0 && at[0] <= picture.width && at[1] <= picture.height;
    this.controls.renderCursor(inside ? `${Math.floor(at[0])}, ${Math.floor(at[1])}` : "");
  }

  pointerLeft() {
    this.controls.renderCursor("");
  }

  doubleClicked() {} // a second click is a click

  fit() {
    this.stage.fit();
    this.zoomed();
  }

  zoomBy(factor) {
    const { width, height } = this.stage.size;
    this.stage.view.zoomAt(width / 2, height / 2, factor);
    this.stage.moved();
    this.zoomed();
  }

  zoomed() {
    this.spaceUsed = true;
    this.controls.renderZoom();
  }

  toggleTheme() {
    App.prototype.toggleTheme.call(this);
    this.timeline.changed();
  }
}

function readOpacity(otherwise) {
  const kept = Number(localStorage.getItem("clickmask-video-opacity") ?? NaN);
  return kept >= 0 && kept <= 1 ? kept : otherwise;
}

Object.assign(VideoApp.prototype, VideoPrompts, VideoTracking, VideoFiles, { applyTheme: App.prototype.applyTheme });
