// @ts-check
// Learning from the folder's objects: a button, how far it is, what came of it, and the way back.

import { make, replaceChildren } from "../shared/dom.js";
import { watchJob } from "../shared/jobs.js";
import { TEXT } from "../shared/strings.js";

export class LearningPanel {
  /** @param {import("./app.js").PhotoApp} app */
  constructor(root, app) {
    this.app = app;
    this.element = root.querySelector(".cm-learning");
    this.learned = { version: "", sentence: "" };
    this.run = null; // what is being learned: {folder, job, share}
    this.render();
  }

  // what the open folder learned before
  async load() {
    const { folder } = this.app.state;
    try {
      const learned = await this.app.call("learning", { folder });
      if (this.app.state.folder === folder) this.show(learned);
    } catch (failure) {
      this.app.fail(failure);
    }
  }

  async learn() {
    const { app } = this, { folder } = app.state;
    if (this.run) return;
    const run = this.run = { folder, job: null, share: 0 };
    this.render();
    try {
      await app.saving.settled(); // the server learns from what it knows
      run.job = (await app.call("start_learning", { folder })).job;
      const learned = await watchJob(app.call, run.job, ({ done, total }) => {
        run.share = total ? done / total : 0;
        this.render();
      });
      app.toasts.show(learned.sentence, learned.used ? "good" : undefined);
      if (app.state.folder === folder) this.learned = learned;
    } catch (failure) {
      if (failure.kind !== "cancelled") app.fail(failure);
    }
    this.run = null;
    this.render();
  }

  stop() {
    if (this.run?.job) this.app.call("stop_job", { job: this.run.job }).catch(() => {});
  }

  async rollBack() {
    const { folder } = this.app.state;
    try {
      this.show(await this.app.call("roll_back_learning", { folder }));
    } catch (failure) {
      this.app.fail(failure);
    }
  }

  show(learned) {
    this.learned = learned;
    this.render();
  }

  render() {
    const { run, learned } = this;
    const button = (words, act, kind = "cm-plain") => make("button", { type: "button", class: kind, onclick: act }, words);
    const said = run ? TEXT.learning(run.share) : learned.sentence || TEXT.learnHint;
    const actions = run ? [button(TEXT.stop, () => this.stop())] : [
      button(TEXT.learn, () => this.learn()),
      learned.version ? button(TEXT.rollBack(learned.version), () => this.rollBack()) : null,
    ];
    replaceChildren(this.element, make("h2", {}, TEXT.learnTitle),
      make("p", { class: "cm-hint cm-learned", role: "status" }, said), make("div", { class: "cm-row" }, ...actions));
  }
}
