// @ts-check
// The open folder: its pictures, their states, and going from one to the next.

import { TEXT } from "../shared/strings.js";

export class Folder {
  /** @param {import("./app.js").PhotoApp} page */
  constructor(page) {
    this.page = page;
  }

  get state() {
    return this.page.state;
  }

  async open(path) {
    this.page.setPhase("loading");
    try {
      const folder = await this.page.call("open_folder", { folder: path });
      this.show(folder);
      localStorage.setItem("clickmask-folder", folder.folder);
      const first = folder.pictures.find((picture) => picture.id === folder.last && !picture.missing)
        || folder.pictures.find((picture) => picture.status === "todo") || folder.pictures[0];
      if (first) await this.page.picture.open(first.id);
      else this.page.picture.showNothing();
    } catch (failure) {
      this.page.setPhase("failed");
      this.page.fail(failure);
      throw failure;
    }
  }

  show(folder) {
    const { state, page } = this;
    if (state.folder !== folder.folder) this.leave();
    Object.assign(state, { folder: folder.folder, pictures: folder.pictures, categories: folder.categories });
    if (!state.categories.some((one) => one.id === state.category)) state.category = state.categories[0].id;
    if (page.saving.folder !== folder.folder) page.saving.resume(folder.folder);
    if (folder.labels_elsewhere) page.toasts.show(TEXT.labelsElsewhere(folder.labels_elsewhere));
    if (folder.unreadable.length) page.toasts.show(TEXT.unreadable(folder.unreadable.length, folder.unreadable[0]), "error");
    page.controls.renderFolder(folder);
    page.panels.pictures.render();
    page.panels.classes.render();
  }

  // ids begin anew in every folder
  leave() {
    const { state, page } = this;
    if (state.picture) page.picture.leave();
    state.picture = null;
    page.history.forget();
    page.panels.pictures.thumbnails.forget();
    page.saving.revisions.clear();
  }

  goTo(id) {
    this.page.closeDrawer();
    if (!this.state.picture || this.state.picture.id !== id) return this.page.picture.open(id);
  }

  neighbour(way) {
    const { pictures, filtered, picture } = this.state;
    if (!picture) return filtered[0] || null;
    const here = pictures.indexOf(picture);
    const shown = new Set(filtered);
    for (let i = here + way; i >= 0 && i < pictures.length; i += way) if (shown.has(pictures[i])) return pictures[i];
    return null;
  }

  // on to the next picture; a picture with objects is done when it is left forwards
  step(way) {
    const { picture, objects, pictures } = this.state;
    const next = this.neighbour(way);
    if (way > 0 && picture && picture.status === "todo" && objects.length) this.setStatus(picture, "done");
    if (next) return this.page.picture.open(next.id);
    if (!picture) return this.page.toasts.show(TEXT.noPictures);
    const rest = pictures.some((one) => one.status === "todo");
    this.page.toasts.show(way < 0 ? TEXT.firstPicture : rest ? TEXT.lastPicture : TEXT.allDone, rest || way < 0 ? "info" : "good");
  }

  skip() {
    const { picture } = this.state;
    if (!picture) return;
    const next = this.neighbour(1);
    this.setStatus(picture, picture.status === "skipped" ? "todo" : "skipped");
    if (picture.status === "skipped" && next) this.page.picture.open(next.id);
  }

  setStatus(picture, status) {
    const before = picture.status;
    const set = (value) => this.sendStatus(picture, value);
    this.page.history.of(picture.id).add({ undo: () => set(before), redo: () => set(status) });
    return set(status);
  }

  async sendStatus(picture, status) {
    picture.status = status;
    this.page.panels.pictures.update(picture);
    try {
      await this.page.call("set_status", { folder: this.state.folder, picture: picture.id, status });
    } catch (failure) {
      this.page.fail(failure);
    }
  }
}
