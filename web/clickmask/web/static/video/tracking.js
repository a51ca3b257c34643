// @ts-check
// Runs of the tracker: begin, watch, stop; frames appear as they are done.

import { VIDEO } from "../shared/strings.js";

const TRACK_POLL_MS = 200;

export class Tracking {
  /** @param {import("./app.js").VideoApp} page */
  constructor(page) {
    this.page = page;
  }

  get state() {
    return this.page.state;
  }

  async begin(way) {
    const { state } = this, { video } = state;
    if (!video) return;
    this.page.player.pause();
    await this.page.prompts.allSaid();
    if (state.video !== video) return;
    try {
      const { job, total } = await this.page.call("video_track", { video: video.video, way, frame: state.frame });
      if (state.video === video) this.watch(job, total, true);
    } catch (failure) {
      this.page.toasts.show(failure.message, failure.kind === "PromptError" ? "info" : "error");
    }
  }

  async stop() {
    const { run } = this.state;
    if (!run || run.stopping) return;
    run.stopping = true; // the frame under way is still finished
    this.page.controls.renderRun();
    await this.page.call("stop_job", { job: run.job }).catch((failure) => { run.stopping = false; this.page.fail(failure); });
  }

  follow(on) {
    const { run } = this.state;
    if (!run || run.follow === on) return;
    run.follow = on;
    this.page.controls.renderRun();
  }

  async watch(job, total, follow) {
    const { state } = this;
    const { video } = state;
    const run = state.run = { job, total, done: 0, seen: 0, pace: null, follow, stopping: false };
    this.changed();
    while (state.run === run && state.video === video) {
      let message;
      try {
        message = await this.page.call("video_progress", { video: video.video, job, seen: run.seen });
      } catch (failure) {
        if (failure.kind === "Offline") {
          await new Promise((resolve) => setTimeout(resolve, 1500));
          continue;
        }
        message = { state: "failed", error: failure.message, cells: [] };
      }
      if (state.run !== run || state.video !== video) return;
      this.moved(run, message);
      if (message.state !== "running") return this.ended(run, message);
      await new Promise((resolve) => setTimeout(resolve, TRACK_POLL_MS));
    }
  }

  moved(run, { done, total, cells, frame }) {
    const { state } = this;
    if (done > run.done) measurePace(run, done);
    Object.assign(run, { done: done ?? run.done, total: total || run.total, seen: run.seen + cells.length });
    for (const [at, object, letter, confidence] of cells) {
      const lane = state.lanes.get(object);
      if (!lane || state.promptAt(object, at)) continue;
      lane.letters[at] = letter;
      lane.confidence[at] = confidence;
      this.page.player.frames.touch(at);
    }
    this.page.controls.renderRun();
    if (!cells.length) return;
    this.page.timeline.changed();
    if (run.follow && frame !== undefined) this.page.player.show(frame);
    else this.page.player.refresh();
  }

  ended(run, { state: outcome, error }) {
    this.state.run = null;
    this.changed();
    if (outcome === "done") this.page.toasts.show(VIDEO.trackedFrames(run.done), "good");
    else if (outcome === "cancelled") this.page.toasts.show(VIDEO.stopped);
    else this.page.toasts.show(error || outcome, "error");
    this.refreshLanes();
  }

  // another page may have changed prompts while this run went on
  async refreshLanes() {
    const { video } = this.state;
    await this.page.prompts.allSaid();
    try {
      const work = await this.page.call("video_work", { video: video.video });
      if (this.state.video === video && !this.page.prompts.sending) this.state.take(work);
    } catch (failure) {
      this.page.fail(failure);
    }
    this.page.player.refresh();
    this.page.objectsChanged();
  }

  changed() {
    this.page.controls.render();
  }
}

// seconds a frame takes, from the first one seen on: what came before it was preparation
function measurePace(run, done) {
  const now = performance.now() / 1000;
  if (run.done) run.pace = (now - run.began) / (done - run.doneAtBegin);
  else Object.assign(run, { began: now, doneAtBegin: done });
}
