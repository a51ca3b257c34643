// Folders and pictures: open, go on, fetch and encode ahead. (Part of App.)

const Browsing = {
  async openFolder(path) {
    this.setPhase("loading");
    try {
      const folder = await this.call("open_folder", { folder: path });
      this.showFolder(folder);
      localStorage.setItem("clickmask-folder", folder.folder);
      const first = folder.pictures.find((picture) => picture.id === folder.last && !picture.missing)
        || folder.pictures.find((picture) => picture.status === "todo") || folder.pictures[0];
      if (first) await this.openPicture(first.id);
      else this.showNothing();
    } catch (failure) {
      this.setPhase("failed");
      this.fail(failure);
      throw failure;
    }
  },

  showFolder(folder) {
    const { state } = this;
    if (state.folder !== folder.folder) {
      if (state.picture) this.leavePicture();
      state.picture = null; // ids begin anew in every folder
      this.stepsOf.clear();
      this.draftOf.clear();
      this.pictures.thumbnails.forget();
      this.saving.revisions.clear();
    }
    Object.assign(state, { folder: folder.folder, pictures: folder.pictures, categories: folder.categories });
    if (!state.categories.some((one) => one.id === state.category)) state.category = state.categories[0].id;
    if (this.saving.folder !== folder.folder) this.saving.resume(folder.folder);
    if (folder.labels_elsewhere) this.toasts.show(TEXT.labelsElsewhere(folder.labels_elsewhere));
    if (folder.unreadable.length) this.toasts.show(TEXT.unreadable(folder.unreadable.length, folder.unreadable[0]), "error");
    this.controls.renderFolder(folder);
    this.pictures.render();
    this.classes.render();
  },

  showNothing() {
    Object.assign(this.state, { picture: null, objects: [], proposals: [], draft: newDraft() });
    this.stage.show(null);
    this.objects.render();
    this.setPhase("ready");
    this.controls.render();
  },

  goTo(id) {
    this.closeDrawer();
    if (!this.state.picture || this.state.picture.id !== id) return this.openPicture(id);
  },

  async openPicture(id) {
    const { state } = this;
    if (state.picture) this.draftOf.set(state.picture.id, state.draft);
    const picture = state.pictures.find((one) => one.id === id);
    const opening = this.opening = {};
    this.leavePicture();
    Object.assign(state, { picture, problem: null });
    this.steps = this.stepsFor(id);
    this.setPhase("loading");
    this.pictures.mark();
    try {
      const answer = await this.call("open_picture", { folder: state.folder, picture: id });
      const bitmap = await this.bitmap(id, answer.url);
      if (this.opening !== opening) return;
      this.showPicture(answer, bitmap);
      await this.encode(opening);
    } catch (failure) {
      if (this.opening === opening) this.showProblem(failure);
    }
  },

  leavePicture() {
    this.asking.forget();
    this.preview = null;
    this.leaveProposals();
    Object.assign(this.state, { objects: [], selected: null, draft: newDraft(), preview: null });
    this.state.hiddenObjects.clear();
    this.stage.rubber = this.stage.stroke = this.stage.vertices = null;
    this.stage.show(null);
    this.objects.render();
  },

  stepsFor(id) {
    if (!this.stepsOf.has(id)) this.stepsOf.set(id, new Steps(() => this.controls && this.controls.render()));
    return this.stepsOf.get(id);
  },

  showPicture({ picture, revision, objects }, bitmap) {
    const { state } = this;
    Object.assign(state.picture, picture);
    if (!this.saving.queue.some((entry) => entry.picture === picture.id)) this.saving.revisions.set(picture.id, revision);
    const unsaved = this.saving.queue.filter((entry) => entry.picture === picture.id).flatMap((entry) => entry.changes);
    state.objects = changedObjects(objects.map(unwired), unsaved.map(({ id, after }) => ({ id, after: after && unwired(after) })));
    this.stage.show(bitmap);
    this.objectsChanged();
    const draft = this.draftOf.get(picture.id);
    if (draft) this.setDraft(draft);
    else this.restoreDraft();
    if (hasPrompt(state.draft) && !state.draft.answer) this.askMask(state.draft);
    this.zoomed();
  },

  showProblem(failure) {
    this.setPhase("failed");
    this.state.problem = failure.message;
    this.controls.renderState();
    this.fail(failure);
    if (failure.kind === "Offline") setTimeout(() => this.retryPicture(), 2000);
  },

  retryPicture() {
    if (this.state.phase === "failed" && this.state.picture) this.openPicture(this.state.picture.id);
  },

  async encode(opening) {
    const { folder, picture } = this.state;
    this.setPhase("encoding");
    await this.call("encode", { folder, picture: picture.id });
    if (this.opening !== opening) return;
    this.setPhase("ready");
    this.prepareNext();
  },

  // the next picture's pixels and embedding, while the person works on this one
  async prepareNext() {
    const next = this.neighbour(1);
    const { folder } = this.state;
    if (!next || next.missing || this.prepared === next.id) return;
    this.prepared = next.id;
    try {
      const { url } = await this.call("picture_url", { folder, picture: next.id });
      this.bitmap(next.id, url).catch(() => {});
      await this.call("encode", { folder, picture: next.id });
    } catch { /* opening it will say what is wrong */ }
  },

  // the decoded picture; the last few are kept
  bitmap(id, url) {
    const key = `${this.state.folder}:${id}`;
    if (!this.bitmaps.has(key)) {
      this.bitmaps.set(key, fetchBitmap(url).catch((failure) => { this.bitmaps.delete(key); throw failure; }));
    }
    const bitmap = this.bitmaps.get(key);
    this.bitmaps.delete(key);
    this.bitmaps.set(key, bitmap);
    for (const old of [...this.bitmaps.keys()].slice(0, -3)) this.bitmaps.delete(old);
    return bitmap;
  },

  neighbour(way) {
    const { pictures, filtered, picture } = this.state;
    if (!picture) return filtered[0] || null;
    const here = pictures.indexOf(picture);
    const shown = new Set(filtered);
    for (let i = here + way; i >= 0 && i < pictures.length; i += way) if (shown.has(pictures[i])) return pictures[i];
    return null;
  },

  // on to the next picture; a picture with objects is done when it is left forwards
  step(way) {
    const { picture, objects } = this.state;
    const next = this.neighbour(way);
    if (way > 0 && picture && picture.status === "todo" && objects.length) this.setStatus(picture, "done");
    if (next) return this.openPicture(next.id);
    if (!picture) return this.toasts.show(TEXT.noPictures);
    const rest = this.state.pictures.some((one) => one.status === "todo");
    this.toasts.show(way < 0 ? TEXT.firstPicture : rest ? TEXT.lastPicture : TEXT.allDone, rest || way < 0 ? "info" : "good");
  },

  skip() {
    const { picture } = this.state;
    if (!picture) return;
    const next = this.neighbour(1);
    this.setStatus(picture, picture.status === "skipped" ? "todo" : "skipped");
    if (picture.status === "skipped" && next) this.openPicture(next.id);
  },

  setStatus(picture, status) {
    const before = picture.status;
    const steps = this.stepsFor(picture.id);
    const set = (value) => this.sendStatus(picture, value);
    steps.add({ undo: () => set(before), redo: () => set(status) });
    return set(status);
  },

  async sendStatus(picture, status) {
    picture.status = status;
    this.pictures.update(picture);
    try {
      await this.call("set_status", { folder: this.state.folder, picture: picture.id, status });
    } catch (failure) {
      this.fail(failure);
    }
  },
};

async function fetchBitmap(url) {
  const response = await fetch(url).catch(() => null);
  if (!response) throw new Failure(TEXT.offline, "Offline");
  if (!response.ok) throw new Failure(TEXT.notFetched(response.status), "ImageError");
  try {
    return await createImageBitmap(await response.blob());
  } catch {
    throw new Failure(TEXT.notShown, "ImageError");
  }
}
