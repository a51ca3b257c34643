// @ts-check
// The open folder: its pictures, their states, and going from one to the next.

import { TEXT } from "../shared/strings.js";
import { ordered } from "./picture_order.js";

const TOLD_PROBLEMS = 5;

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
      const { pictures } = this.state;
      const first = pictures.find((picture) => picture.id === folder.last && !picture.missing)
        || pictures.find((picture) => picture.status === "todo") || pictures[0];
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
    Object.assign(state, { folder: folder.folder, pictures: ordered(folder.pictures, state.order), categories: folder.categories });
    if (!state.categories.some((one) => one.id === state.category)) state.category = state.categories[0].id;
    if (folder.labels_elsewhere) page.toasts.show(TEXT.labelsElsewhere(folder.labels_elsewhere));
    Object.assign(state, { parts: folder.parts || [], boxes: folder.boxes || 0 });
    for (const note of folder.notes || []) page.toasts.show(note);
    if (folder.problems && folder.problems.length) page.toasts.show(folder.problems.slice(0, TOLD_PROBLEMS).join("\n"), "error");
    if (folder.unreadable.length) page.toasts.show(TEXT.unreadable(folder.unreadable.length, folder.unreadable[0]), "error");
    page.controls.renderFolder(folder);
    page.panels.pictures.render();
    page.panels.classes.render();
    page.panels.learning.load();
  }

  // the same folder, whose labels were changed elsewhere
  async reload() {
    const { picture, folder } = this.state;
    this.page.drafts.forget(folder);
    this.page.history.forget();
    this.show(await this.page.call("open_folder", { folder }));
    if (picture) await this.page.picture.open(picture.id);
  }

  // the most worth first, or by name
  sort(order) {
    const { state, page } = this;
    state.order = order;
    state.pictures = ordered(state.pictures, order);
    page.settingChanged("order");
    page.panels.pictures.render();
  }

  // ids begin anew in every folder
  leave() {
    const { state, page } = this;
    if (state.picture) page.picture.leave();
    state.picture = null;
    page.history.forget();
    page.panels.pictures.thumbnails.forget();
  }

  goTo(id) {
    this.page.closeDrawer();
    if (this.state.picture && this.state.picture.id === id) return;
    this.page.picture.leaveDraft();
    return this.page.picture.open(id);
  }

  neighbour(way) {
    const { pictures, picture } = this.state;
    const shown = new Set(this.page.panels.pictures.shown);
    if (!picture) return [...shown][0] || null;
    const here = pictures.indexOf(picture);
    for (let i = here + way; i >= 0 && i < pictures.length; i += way) if (shown.has(pictures[i])) return pictures[i];
    return null;
  }

  // on to the next picture; a picture with objects is done when it is left forwards
  step(way) {
    const { picture } = this.state;
    const next = this.neighbour(way);
    if (picture) {
      const left = this.page.picture.leaveDraft();
      if (way > 0 && picture.status === "todo" && this.state.objects.length && !left) this.setStatus(picture, "done");
    }
    this.go(next, way);
  }

  go(next, way) {
    if (next) return this.page.picture.open(next.id);
    if (!this.state.picture) return this.page.toasts.show(TEXT.noPictures);
    const rest = this.state.pictures.some((one) => one.status === "todo");
    this.page.toasts.show(way < 0 ? TEXT.firstPicture : rest ? TEXT.lastPicture : TEXT.allDone, rest || way < 0 ? "info" : "good");
  }

  // done as it is: without objects, there is nothing to be found on the picture
  finish() {
    const { picture } = this.state;
    if (!picture) return;
    const next = this.neighbour(1);
    if (this.page.picture.leaveDraft()) return;
    this.setStatus(picture, "done");
    this.go(next, 1);
  }

  skip() {
    const { picture } = this.state;
    if (!picture) return;
    const next = this.neighbour(1);
    this.page.picture.leaveDraft();
    this.setStatus(picture, picture.status === "skipped" ? "todo" : "skipped");
    if (picture.status === "skipped" && next) this.page.picture.open(next.id);
  }

  setStatus(picture, status, note = picture.note || "") {
    const before = { status: picture.status, note: picture.note || "" };
    const set = (to) => this.sendStatus(picture, to);
    this.page.history.of(picture.id).add({ undo: () => set(before), redo: () => set({ status, note }) });
    return set({ status, note });
  }

  async sendStatus(picture, { status, note }) {
    Object.assign(picture, { status, note });
    this.page.panels.pictures.update(picture);
    this.page.panels.picture.render();
    try {
      await this.page.call("set_status", { folder: this.state.folder, picture: picture.id, status, note });
    } catch (failure) {
      this.page.fail(failure);
    }
  }
}
