// @ts-check
// Undo and redo, whatever the steps are of.

import { TEXT } from "./strings.js";

/** @abstract */
export class StepHistory {
  /** @param {any} page */
  constructor(page) {
    this.page = page;
    /** @type {import("./steps.js").Steps} */ this.steps = null; // set by whoever knows what they are of
  }

  get canUndo() {
    return this.steps.done.length > 0 || !this.steps.askedOlder;
  }

  get canRedo() {
    return this.steps.undone.length > 0;
  }

  add(step) {
    this.steps.add(step);
  }

  clear() {
    this.steps.clear();
  }

  async undo() {
    if (!this.steps.done.length) await this.addOlder();
    await this.shift("undo", TEXT.nothingToUndo);
  }

  redo() {
    return this.shift("redo", TEXT.nothingToRedo);
  }

  // after a reload: what the history on disk says, once
  async addOlder() {}

  async shift(way, nothing) {
    try {
      if (!await this.steps[way]()) this.page.toasts.show(nothing);
    } catch (failure) {
      this.page.fail(failure);
    }
  }
}
