// @ts-check
// Opening a picture: fetch it with its labels, encode it, and prepare the next one meanwhile.

import { fetchBitmap } from "../shared/bitmaps.js";
import { make } from "../shared/dom.js";
import { newDraft } from "../shared/draft.js";
import { TEXT } from "../shared/strings.js";
import { isUnfinished } from "./drafts.js";
import { changedObjects, fromServer } from "./objects.js";

const KEPT_BITMAPS = 3;
const OFFLINE_RETRY_MS = 2000;

export class PictureOpening {
  /** @param {import("./app.js").PhotoApp} page */
  constructor(page) {
    this.page = page;
    this.bitmaps = new Map(); // folder:picture -> decoded picture, oldest use first
    this.newest = null; // the opening under way; an older one stops by itself
    this.prepared = null;
  }

  get state() {
    return this.page.state;
  }

  async open(id) {
    const { state, page } = this;
    const picture = state.pictures.find((one) => one.id === id);
    const opening = this.newest = {};
    this.leave();
    Object.assign(state, { picture, problem: null });
    page.history.open(id);
    page.setPhase("loading");
    page.panels.pictures.mark();
    try {
      const answer = await page.call("open_picture", { folder: state.folder, picture: id });
      const bitmap = await this.bitmap(id, answer.url);
      if (this.newest !== opening) return;
      this.show(answer, bitmap);
      await this.encode(opening);
    } catch (failure) {
      if (this.newest === opening) this.showProblem(failure);
    }
  }

  // a mask that was not accepted: accepted by a setting, else kept and told; whether it is left behind
  leaveDraft() {
    const { state, page } = this, { draft, picture } = state;
    if (!picture || !isUnfinished(draft)) return false;
    if (state.acceptOnLeave && draft.answer && draft.answer.mask.area) {
      page.objects.acceptDraft(draft);
      return false;
    }
    const back = make("button", { type: "button", class: "cm-link", onclick: () => page.folder.goTo(picture.id) }, TEXT.goBack);
    page.toasts.show(TEXT.leftUnfinished(picture.name), "info", back);
    return true;
  }

  leave() {
    const { state, page } = this;
    page.clipboard.remember(state.objects);
    page.polygon.cancel();
    page.prompts.queue.forget();
    page.preview.forget();
    page.proposals.leave();
    Object.assign(state, { objects: [], selected: null, draft: newDraft(), preview: null });
    state.hiddenObjects.clear();
    state.alsoSelected.clear();
    page.stage.rubber = page.stage.stroke = page.stage.vertices = null;
    page.stage.show(null);
    page.panels.objects.render();
  }

  show({ picture, revision, objects }, bitmap) {
    const { state, page } = this;
    Object.assign(state.picture, picture);
    const waiting = page.saving.of(state.folder, picture.id);
    if (!waiting.length) page.saving.known(state.folder, picture.id, revision);
    const unsaved = waiting.flatMap((entry) => entry.changes).map(({ id, after }) => ({ id, after: after && fromServer(after) }));
    state.objects = changedObjects(objects.map(fromServer), unsaved);
    page.stage.show(bitmap);
    page.objects.changed();
    page.prompts.restore();
    page.panels.picture.render();
    if (page.review.isOn) page.review.opened();
    page.zoomed();
  }

  showNothing() {
    const { state, page } = this;
    Object.assign(state, { picture: null, objects: [], proposals: [], draft: newDraft() });
    page.stage.show(null);
    page.panels.objects.render();
    page.panels.picture.render();
    page.setPhase("ready");
    page.controls.render();
  }

  showProblem(failure) {
    this.page.setPhase("failed");
    this.state.problem = failure.message;
    this.page.controls.renderState();
    this.page.fail(failure);
    if (failure.kind === "Offline") setTimeout(() => this.retry(), OFFLINE_RETRY_MS);
  }

  retry() {
    if (this.state.phase === "failed" && this.state.picture) this.open(this.state.picture.id);
  }

  async encode(opening) {
    const { folder, picture } = this.state;
    this.page.setPhase("encoding");
    await this.page.call("encode", { folder, picture: picture.id });
    if (this.newest !== opening) return;
    this.page.setPhase("ready");
    this.prepareNext();
  }

  // the next picture's pixels and embedding, while the person works on this one
  async prepareNext() {
    const next = this.page.folder.neighbour(1);
    const { folder } = this.state;
    if (!next || next.missing || this.prepared === next.id) return;
    this.prepared = next.id;
    try {
      const { url } = await this.page.call("picture_url", { folder, picture: next.id });
      this.bitmap(next.id, url).catch(() => {});
      await this.page.call("encode", { folder, picture: next.id });
    } catch { /* opening it will say what is wrong */ }
  }

  bitmap(id, url) {
    const key = `${this.state.folder}:${id}`;
    const bitmap = this.bitmaps.get(key) || fetchBitmap(url).catch((failure) => { this.bitmaps.delete(key); throw failure; });
    this.bitmaps.delete(key);
    this.bitmaps.set(key, bitmap);
    for (const old of [...this.bitmaps.keys()].slice(0, -KEPT_BITMAPS)) this.bitmaps.delete(old);
    return bitmap;
  }
}
