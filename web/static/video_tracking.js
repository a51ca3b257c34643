// Runs of the tracker: begin, watch, stop; frames appear as they are done. (Part of VideoApp.)

const POLL_MS = 200;

const VideoTracking = {
  async track(way) {
    const { state } = this;
    if (!state.video) return;
    this.player.pause();
    await this.allSaid();
    try {
      const { job, total } = await this.call("video_track", { video: state.video.video, way, frame: state.frame });
      this.watchRun(job, total, true);
    } catch (failure) {
      this.toasts.show(failure.message, failure.kind === "PromptError" ? "info" : "error");
    }
  },

  async stopTracking() {
    const { run } = this.state;
    if (run) await this.call("stop_job", { job: run.job }).catch((failure) => this.fail(failure));
  },

  follow(on) {
    const { run } = this.state;
    if (!run || run.follow === on) return;
    run.follow = on;
    this.controls.renderRun();
  },

  async watchRun(job, total, follow) {
    const { state } = this;
    const { video } = state;
    const run = state.run = { job, total, done: 0, seen: 0, follow, began: performance.now(), doneAtBegin: 0 };
    this.runChanged();
    while (state.run === run && state.video === video) {
      let message;
      try {
        message = await this.call("video_progress", { video: video.video, job, seen: run.seen });
      } catch (failure) {
        if (failure.kind === "Offline") {
          await new Promise((resolve) => setTimeout(resolve, 1500));
          continue;
        }
        message = { state: "failed", error: failure.message, cells: [] };
      }
      if (state.run !== run || state.video !== video) return;
      this.runMoved(run, message);
      if (message.state !== "running") return this.runEnded(run, message);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  },

  runMoved(run, { done, total, cells, frame }) {
    const { state } = this;
    if (!run.done && done > 1) Object.assign(run, { began: performance.now(), doneAtBegin: done });
    Object.assign(run, { done: done ?? run.done, total: total || run.total, seen: run.seen + cells.length });
    for (const [at, object, letter, confidence] of cells) {
      const lane = state.lanes.get(object);
      if (!lane) continue;
      lane.letters[at] = letter;
      lane.confidence[at] = confidence;
      this.player.frames.touch(at);
    }
    this.controls.renderRun();
    if (!cells.length) return;
    this.timeline.changed();
    if (run.follow && frame !== undefined) this.player.show(frame);
    else this.player.refresh();
  },

  runEnded(run, { state: outcome, error }) {
    this.state.run = null;
    this.runChanged();
    if (outcome === "done") this.toasts.show(VIDEO.trackedFrames(run.done), "good");
    else if (outcome === "cancelled") this.toasts.show(VIDEO.stopped);
    else this.toasts.show(error || outcome, "error");
    this.refreshLanes();
  },

  // another page may have changed prompts while this run went on
  async refreshLanes() {
    const { video } = this.state;
    await this.allSaid();
    try {
      const work = await this.call("video_work", { video: video.video });
      if (this.state.video === video && !this.sending) this.state.take(work);
    } catch (failure) {
      this.fail(failure);
    }
    this.player.refresh();
    this.objectsChanged();
  },

  runChanged() {
    this.controls.render();
  },
};
