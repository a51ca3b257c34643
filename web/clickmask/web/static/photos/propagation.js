// @ts-check
// Objects carried on by the tracker through the pictures that follow, as through the frames of a video.

import { make } from "../shared/dom.js";
import { TEXT } from "../shared/strings.js";
import { countAfter } from "./picture_order.js";
import { FolderRun } from "./folder_run.js";

const USUAL_COUNT = 5;

export class Propagation {
  /** @param {import("./app.js").PhotoApp} page */
  constructor(page) {
    this.page = page;
    this.work = new FolderRun(page);
  }

  async ask() {
    const { state, toasts, dialogs } = this.page;
    const objects = state.selection.length ? state.selection : state.objects;
    if (!objects.length) return toasts.show(TEXT.nothingToCopy);
    const after = countAfter(state.pictures, state.picture);
    if (!after) return toasts.show(TEXT.lastPicture);
    const words = await dialogs.ask(TEXT.propagate(objects.length), String(Math.min(USUAL_COUNT, after)), make("p", { class: "cm-hint" }, TEXT.propagateHint));
    if (words === null) return;
    const count = Number(words);
    if (!Number.isInteger(count) || count < 1) return toasts.show(TEXT.wantedCount(words), "error");
    await this.run(objects.map(({ id }) => id), Math.min(count, after));
  }

  run(objects, count) {
    const { folder, picture } = this.page.state;
    const texts = { working: TEXT.propagating, done: TEXT.propagated };
    return this.work.run("start_propagation", { folder, picture: picture.id, objects, count }, texts);
  }

  // whether there was a run to stop
  stop() {
    return this.work.stop();
  }
}
