// @ts-check
// Work on the pictures after this one, that the server does, the page shows and a person may stop.

import { watchJob } from "../shared/jobs.js";

export class FolderRun {
  /** @param {import("./app.js").PhotoApp} page */
  constructor(page) {
    this.page = page;
    this.job = null;
  }

  /**
   * @param {string} start the server's function that begins the work
   * @param {object} message what it is told
   * @param {{working: (done: number, total: number) => string, done: (made: number, pictures: number) => string}} texts
   */
  async run(start, message, texts) {
    const { page } = this, { folder } = page.state;
    try {
      await page.saving.settled(); // the server goes on from what it knows
      this.job = (await page.call(start, message)).job;
      const { made, pictures, problems } = await watchJob(page.call, this.job, ({ done, total }) => page.setBusy(texts.working(done, total)));
      page.toasts.show(texts.done(made, pictures), "good");
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
