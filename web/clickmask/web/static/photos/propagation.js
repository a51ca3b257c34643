// @ts-check
// Objects carried on by the tracker through the pictures that follow, as through the frames of a video.

import { make } from "../shared/dom.js";
import { watchJob } from "../shared/jobs.js";
import { TEXT } from "../shared/strings.js";

const USUAL_COUNT = 5;

export class Propagation {
  /** @param {import("./app.js").PhotoApp} page */
  constructor(page) {
    this.page = page;
    this.job = null;
  }

  async ask() {
    const { state, toasts, dialogs } = this.page;
    const objects = state.selection.length ? state.selection : state.objects;
    if (!objects.length) return toasts.show(TEXT.nothingToCopy);
    const after = state.pictures.length - state.pictures.indexOf(state.picture) - 1;
    if (!after) return toasts.show(TEXT.lastPicture);
    const words = await dialogs.ask(TEXT.propagate(objects.length), String(Math.min(USUAL_COUNT, after)), make("p", { class: "cm-hint" }, TEXT.propagateHint));
    if (words === null) return;
    const count = Number(words);
    if (!Number.isInteger(count) || count < 1) return toasts.show(TEXT.wantedCount(words), "error");
    await this.run(objects.map(({ id }) => id), Math.min(count, after));
  }

  async run(objects, count) {
    const { page } = this, { folder, picture } = page.state;
    try {
      await page.saving.settled(); // the server tracks what it knows
      this.job = (await page.call("start_propagation", { folder, picture: picture.id, objects, count })).job;
      const { made, pictures, problems } = await watchJob(page.call, this.job, ({ done, total }) => page.setBusy(TEXT.propagating(done, total)));
      page.toasts.show(TEXT.propagated(made, pictures), "good");
      if (problems.length) page.toasts.show(problems.join("\n"), "error");
    } catch (failure) {
      if (failure.kind !== "cancelled") page.fail(failure);
    }
    this.job = null;
    page.setBusy("");
    if (page.state.folder === folder) await page.folder.reload();
  }

  // whether there was a run to stop
  stop() {
    if (!this.job) return false;
    this.page.call("stop_job", { job: this.job }).catch(() => {});
    return true;
  }
}
