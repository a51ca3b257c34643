// The annotator: owns the state, the stage and the panels, and ties them together.
// It knows nothing of Gradio: call(name, message) asks the server, upload(file) sends a file.

class App {
  constructor(root, call, upload) {
    this.root = root;
    this.call = call;
    this.upload = upload;
    this.state = new State();
    loadSettings(this.state);
    this.stepsOf = new Map();
    this.draftOf = new Map();
    this.bitmaps = new Map();
    this.roots = [];
    this.steps = new Steps(() => this.controls && this.controls.render());
    this.abort = new AbortController();
    this.toasts = new Toasts(root.querySelector(".cm-toasts"));
    this.dialogs = new Dialogs(root);
    this.stage = new Stage(root.querySelector(".cm-stage"), this.state, () => this.maskPainted());
    this.asking = new Asking((q) => this.segment(q), (q, a) => this.answered(q, a), (q, f) => this.unanswered(q, f));
    this.outlining = new Asking((q) => this.call("outline", q), (q, a) => this.outlineAnswered(q, a), (q, f) => this.fail(f));
    this.saving = new Saving(call, {
      changed: (state, message, isNew) => this.savingChanged(state, message, isNew),
      merged: (picture, labels, dropped) => this.merged(picture, labels, dropped),
    });
    this.pictures = new PicturesPanel(root, this);
    this.objects = new ObjectsPanel(root, this);
    this.classes = new ClassesPanel(root, this);
    this.settings = new SettingsPanel(root, this);
    this.controls = new Controls(root, this);
    this.gestures = new Gestures(this.stage, this, this.abort.signal);
    bindKeys(this, this.abort.signal);
    this.bindPage();
  }

  bindPage() {
    const { signal } = this.abort;
    window.addEventListener("beforeunload", (event) => { if (this.saving.queue.length) event.preventDefault(); }, { signal });
    this.root.addEventListener("pointerdown", (event) => { if (event.target === this.stage.overlay) this.focus(); }, { signal });
    const backToCanvas = (event) => { if (event.detail && !event.target.closest("dialog, select, input, label")) this.focus(); };
    this.root.addEventListener("click", backToCanvas, { signal, capture: true }); // after a click of the mouse keys work at once
    this.root.addEventListener("dragover", (event) => { event.preventDefault(); this.root.dataset.dropping = "yes"; }, { signal });
    this.root.addEventListener("dragleave", () => { delete this.root.dataset.dropping; }, { signal });
    this.root.addEventListener("drop", (event) => this.dropped(event), { signal });
  }

  async start() {
    this.controls.render();
    this.controls.renderSaving("saved", "");
    this.applyTheme(localStorage.getItem("clickmask-theme"));
    try {
      const answer = await this.call("start", {});
      this.roots = answer.roots;
      this.state.colors = answer.colors;
      this.root.querySelector(".cm-model").textContent = answer.model;
      const last = localStorage.getItem("clickmask-folder");
      const inside = last && answer.roots.some((root) => last === root || last.startsWith(`${root}/`));
      await this.openFolder(inside ? last : answer.folder).catch(() => inside && this.openFolder(answer.folder));
      this.focus();
    } catch (failure) {
      this.setPhase("failed");
      this.fail(failure);
    }
  }

  stop() {
    this.abort.abort();
    this.stage.observer.disconnect();
    this.pictures.observer.disconnect();
  }

  fail(failure) {
    console.warn(failure);
    this.toasts.show(failure.message, "error");
  }

  focus() {
    this.root.focus({ preventScroll: true });
  }

  setPhase(phase) {
    this.state.phase = phase;
    this.controls.renderState();
  }

  draftChanged() {
    this.updateOutline();
    this.controls.render();
    this.stage.refresh();
  }

  settingChanged(key) {
    if (key === "minIou") this.updateOutline();
    if (key === "hover") this.stopHover();
    if (key === "sharp") this.askAgain();
    this.stage.refresh();
  }

  savingChanged(state, message, isNew) {
    this.controls.renderSaving(state, message);
    if (isNew && state === "failed") this.toasts.show(message, "error");
    if (state === "failed") this.hadFailed = true;
    if (state === "saved" && this.hadFailed) {
      this.hadFailed = false;
      this.toasts.show(TEXT.backOnline, "good");
    }
  }

  swap() {
    this.state.swapped = !this.state.swapped;
    this.controls.render();
  }

  toggleMasks() {
    this.state.masksVisible = !this.state.masksVisible;
    this.stage.refresh();
  }

  removeSelected() {
    const id = this.state.draft.editing ? this.state.draft.editing.id : this.state.selected;
    if (id) this.removeObject(id);
  }

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
    this.controls.renderZoom();
  }

  holdSpace(held) {
    this.gestures.space = held;
    this.root.dataset.moving = held;
  }

  toggleTheme() {
    const theme = document.body.classList.contains("dark") ? "light" : "dark";
    localStorage.setItem("clickmask-theme", theme);
    this.applyTheme(theme);
  }

  applyTheme(theme) {
    if (theme) document.body.classList.toggle("dark", theme === "dark");
  }

  dropped(event) {
    event.preventDefault();
    delete this.root.dataset.dropping;
    const files = [...event.dataTransfer.files].filter((file) => file.type.startsWith("image/"));
    this.addPictures(files);
  }
}

Object.assign(App.prototype, Marking, Labeling, Repairing, Browsing, Classes, Files);
