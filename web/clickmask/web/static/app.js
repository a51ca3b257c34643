// The page of photos: owns the state, the stage and the panels, and ties them together.

class App extends Page {
  constructor(root, call, upload) {
    super(root, call, upload, new State());
    loadSettings(this.state);
    this.stepsOf = new Map();
    this.draftOf = new Map();
    this.bitmaps = new Map();
    this.stage = new Stage(root.querySelector(".cm-stage"), this.state, () => this.maskPainted());
    this.asking = new Asking((q) => this.segment(q), (q, a) => this.answered(q, a), (q, f) => this.unanswered(q, f));
    this.outlining = new Asking((q) => this.call("outline", q), (q, a) => this.outlineAnswered(q, a), (q, f) => this.fail(f));
    this.saving = new Saving(call, {
      changed: (state, message, isNew) => this.savingChanged(state, message, isNew),
      merged: (picture, labels, dropped) => this.merged(picture, labels, dropped),
    });
    this.pictures = new PicturesPanel(root, this);
    this.classes = new ClassesPanel(root, this);
    this.objects = new ObjectsPanel(root, this);
    this.settings = new SettingsPanel(root, this);
    this.controls = new Controls(root, this);
    this.listen(photoKeys);
  }

  get hasUnsaved() {
    return this.saving.queue.length > 0;
  }

  lastFolder() {
    return localStorage.getItem("clickmask-folder");
  }

  started({ colors }) {
    this.state.colors = colors;
  }

  draftChanged() {
    this.updateOutline();
    this.controls.render();
    this.stage.refresh();
  }

  settingChanged(key) {
    if (key === "minIou") this.updateOutline();
    if (key === "hover") this.stopHover();
    if (key === "zoom") this.askAgain();
    this.stage.refresh();
  }

  savingChanged(state, message, isNew) {
    this.controls.renderSaving(state, message, () => this.saveNow());
    if (isNew && state === "failed") this.toasts.show(message, "error");
    if (state === "failed") this.hadFailed = true;
    if (state === "saved" && this.hadFailed) {
      this.hadFailed = false;
      this.toasts.show(TEXT.backOnline, "good");
    }
  }

  saveNow() {
    this.saving.run();
  }

  removeSelected() {
    const id = this.state.draft.editing ? this.state.draft.editing.id : this.state.selected;
    if (id) this.removeObject(id);
  }

  escape() {
    this.clear();
  }

  help() {
    this.dialogs.help(HELP);
  }

  takeFiles(files) {
    const pictures = files.filter((file) => file.type.startsWith("image/"));
    if (pictures.length < files.length) this.toasts.show(TEXT.notPictures(files.length - pictures.length), "error");
    this.addPictures(pictures);
  }
}

Object.assign(App.prototype, Marking, Labeling, Repairing, Browsing, Classes, Everything, Files);
