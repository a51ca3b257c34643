// @ts-check
// Objects carried to another picture: copied, or all of the picture that was left.

import { clipped } from "../shared/mask_ops.js";
import { TEXT } from "../shared/strings.js";
import { newId } from "./objects.js";

export class Clipboard {
  /** @param {import("./app.js").PhotoApp} page */
  constructor(page) {
    this.page = page;
    this.copied = [];
    this.last = [];
  }

  copy() {
    const { state } = this.page;
    const objects = state.selection.length ? state.selection : state.objects;
    if (!objects.length) return this.page.toasts.show(TEXT.nothingToCopy);
    this.copied = this.carried(objects);
    this.page.toasts.show(TEXT.copied(objects.length));
  }

  // a picture is left
  remember(objects) {
    if (objects.length) this.last = this.carried(objects);
  }

  // classes go by name: another folder numbers them otherwise
  carried(objects) {
    return objects.map(({ mask, category, source, score }) => ({ mask, name: this.page.state.nameOf(category), source, score }));
  }

  paste() {
    this.put(this.copied);
  }

  pasteLast() {
    this.put(this.last);
  }

  put(carried) {
    const { state, toasts } = this.page;
    if (!state.picture) return;
    if (!carried.length) return toasts.show(TEXT.nothingToPaste);
    const objects = carried.map((one) => this.placed(one)).filter(({ mask }) => mask.area);
    if (!objects.length) return toasts.show(TEXT.pastedNothing, "error");
    this.page.objects.change(objects.map((after) => ({ id: after.id, before: null, after })));
    toasts.show(TEXT.pasted(objects.length), "good");
  }

  placed({ mask, name, source, score }) {
    const { state } = this.page;
    const known = state.categories.find((one) => one.name === name);
    return { id: newId(), category: known ? known.id : state.category, mask: clipped(mask, state.picture), prompts: {}, score, source };
  }
}
