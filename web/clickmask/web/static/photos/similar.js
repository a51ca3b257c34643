// @ts-check
// Find similar: the others of an accepted object, worst score first; each that is kept or dropped sharpens the next ones.

import { make } from "../shared/dom.js";
import { TEXT } from "../shared/strings.js";
import { countAfter } from "./picture_order.js";
import { FolderRun } from "./folder_run.js";

export class Similar {
  /** @param {import("./app.js").PhotoApp} page */
  constructor(page) {
    this.page = page;
    this.refused = []; // what was dropped, of all pictures and classes: {picture, category, runs}
    this.work = new FolderRun(page); // the pass through the pictures that follow
    this.end();
  }

  // the examples are forgotten, what was dropped is not
  end() {
    this.isOn = false;
    this.examples = [];
    this.category = null;
    this.isStale = false; // something was kept or dropped since the search under way began
  }

  // the others of the selected objects, or of the last one that was accepted
  async find() {
    const { state, toasts, proposals } = this.page;
    const last = state.objects.filter(isExample).at(-1);
    const examples = state.selection.length ? state.selection : last ? [last] : [];
    if (!examples.length) return toasts.show(TEXT.noExample);
    proposals.leave();
    Object.assign(this, { isOn: true, category: examples[0].category, examples: examples.map(({ id }) => id) });
    await this.search();
  }

  // looks until nothing was decided in the meantime, and shows what there is
  async search() {
    const { page } = this;
    let found = null;
    do {
      this.isStale = false;
      await page.saving.settled(); // the server compares with what it knows
      if (!this.isOn) return;
      const there = new Set(page.state.objects.map(({ id }) => id));
      const objects = this.examples.filter((id) => there.has(id));
      if (!objects.length) return;
      found = await page.proposals.search("start_similar", { objects, refused: this.refusedOf(this.category) });
    } while (this.isOn && this.isStale);
    if (!found || !this.isOn) return;
    if (!found.length) {
      page.toasts.show(TEXT.noSimilar);
      this.end();
    }
    page.proposals.set(page.proposals.painted(found));
  }

  // another search, if none is under way; that one is not shown otherwise
  sharpen() {
    this.isStale = true;
    if (!this.page.proposals.run) this.search();
  }

  refusedOf(category) {
    return this.refused.filter((one) => one.category === category).map(({ picture, runs }) => ({ picture, runs }));
  }

  // the one that Enter keeps: under the pointer, or that of the lowest score
  get current() {
    if (!this.isOn) return null;
    return this.page.proposals.pointed || this.page.proposals.worst;
  }

  keep(proposal = this.current) {
    if (!proposal) return;
    const [id] = this.page.proposals.accept([proposal], this.category, "checked");
    this.examples.push(id);
    this.sharpen();
  }

  drop(proposal = this.current) {
    if (!proposal) return;
    const refused = { picture: this.page.state.picture.id, category: this.category, runs: proposal.mask.text };
    const add = () => this.refused.push(refused);
    const remove = () => { this.refused = this.refused.filter((one) => one !== refused); };
    add();
    this.page.proposals.discard(proposal, { undo: remove, redo: add });
    this.sharpen();
  }

  // an object that was put there by a pass is dropped in review
  dropped(object) {
    if (object.source !== "similar") return;
    this.refused.push({ picture: this.page.state.picture.id, category: object.category, runs: object.mask.text });
  }

  keepAll() {
    this.page.proposals.accept(this.page.state.proposals, this.category, "similar");
    this.end();
  }

  // the pictures that follow: what is found there is unchecked
  async askAfter() {
    const { state, dialogs, toasts } = this.page;
    const object = state.selectedObject || state.objects.filter(isExample).at(-1);
    const category = this.category ?? (object ? object.category : null);
    if (category === null) return toasts.show(TEXT.noExample);
    const after = countAfter(state.pictures, state.picture);
    if (!after) return toasts.show(TEXT.lastPicture);
    const words = await dialogs.ask(TEXT.similarAfter(state.nameOf(category)), String(after), make("p", { class: "cm-hint" }, TEXT.similarAfterHint));
    if (words === null) return;
    const count = Number(words);
    if (!Number.isInteger(count) || count < 1) return toasts.show(TEXT.wantedCount(words), "error");
    await this.lookThrough(category, count);
  }

  lookThrough(category, count) {
    const { folder, picture } = this.page.state;
    this.page.proposals.leave();
    const message = { folder, picture: picture.id, category, count, refused: this.refusedOf(category) };
    return this.work.run("start_similar_after", message, { working: TEXT.lookingThrough, done: TEXT.lookedThrough });
  }

  // whether there was a pass to stop
  stop() {
    return this.work.stop();
  }
}

// a person made it, or looked at it
function isExample({ source }) {
  return source === "click" || source === "edit" || source === "checked";
}
