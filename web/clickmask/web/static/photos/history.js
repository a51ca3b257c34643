// @ts-check
// Undo and redo: the steps of the picture that is open, then what its history on disk says.

import { StepHistory } from "../shared/history.js";
import { Steps } from "../shared/steps.js";
import { fromServer } from "./objects.js";

export class History extends StepHistory {
  /** @param {import("./app.js").PhotoApp} page */
  constructor(page) {
    super(page);
    this.ofPicture = new Map();
    this.open(null);
  }

  // the steps of a picture, and from now on those that undo means
  open(picture) {
    this.steps = this.of(picture);
  }

  of(picture) {
    if (!this.ofPicture.has(picture)) this.ofPicture.set(picture, new Steps(() => this.page.controls && this.page.controls.renderHistory()));
    return this.ofPicture.get(picture);
  }

  // other pictures, or other objects on these
  forget() {
    this.ofPicture.clear();
    this.open(null);
  }

  // after a reload: what this picture's history on disk says, once
  async addOlder() {
    const { picture, folder } = this.page.state;
    if (!picture || this.steps.askedOlder) return;
    this.steps.askedOlder = true;
    try {
      await this.page.saving.settled(); // what was undone here is in it too, and goes with what it took back
      const writes = await this.writes(folder, picture.id);
      this.steps.addOlder(stillDone(writes).map((changes) => this.olderStep(picture.id, changes)));
    } catch (failure) {
      this.page.fail(failure);
    }
  }

  // all writes to a picture, oldest first; the server gives them in pages
  async writes(folder, picture) {
    const found = [];
    for (let before; ;) {
      const { writes, revisions = [] } = await this.page.call("history", { folder, picture, before });
      found.unshift(...writes);
      if (!writes.length || !(revisions[0] > 1)) return found;
      before = revisions[0];
    }
  }

  olderStep(picture, changes) {
    const there = changes.map(({ id, before, after }) => ({ id, before: before && fromServer(before), after: after && fromServer(after) }));
    const back = there.map(({ id, before, after }) => ({ id, before: after, after: before }));
    const { objects } = this.page;
    return { undo: () => objects.apply(picture, back), redo: () => objects.apply(picture, there) };
  }
}

// a write and the one that took it back are nothing to undo
export function stillDone(writes) {
  const kept = [];
  for (const write of writes) {
    const last = kept[kept.length - 1];
    if (last && takesBack(write, last)) kept.pop();
    else kept.push(write);
  }
  return kept;
}

function takesBack(write, other) {
  const same = (one, two) => JSON.stringify(one) === JSON.stringify(two);
  return write.length === other.length
    && write.every(({ id, before, after }) => other.some((change) => change.id === id && same(change.before, after) && same(change.after, before)));
}
