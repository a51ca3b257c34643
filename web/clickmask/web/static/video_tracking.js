// Runs of the tracker: begin, watch, stop; frames appear as they are done. (Part of VideoApp.)

const POLL_MS = 200;

const VideoTracking = {
  async track(way) {
    const { state } = this, { video } = state;
    if (!video) return;
    this.player.pause();
    await this.allSaid();
    if (state.video !== video) return;
    try {
      const { job, total } = await this.call("video_track", { video: video.video, way, frame: state.frame });
      if (state.video === video) this.watchRun(job, total, true);
    } catch (failure) {
      this.toasts.show(failure.message, failure.kind === "PromptError" ? "info" : "error");
    }
  },

  async stopTracking() {
    const { run } = this.state;
    if (!run || run.stopping) return;
    run.stopping = true; // the frame under way is still finished
    this.controls.renderRun();
    await this.call("stop_job", { job: run.job }).catch((failure) => { run.stopping = false; this.fail(failure); });
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
    const run = state.run = { job, total, done: 0, seen: 0, pace: null, follow, stopping: false };
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
    if (done > run.done) measurePace(run, done);
    Object.assign(run, { done: done ?? run.done, total: total || run.total, seen: run.seen + cells.length });
    for (const [at, object, letter, confidence] of cells) {
      const lane = state.lanes.get(object);
      if (!lane || state.promptAt(object, at)) continue;
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

// seconds a frame takes, from the first one seen on: what came before it was preparation
function measurePace(run, done) {
  const now = performance.now() / 1000;
  if (run.done) run.pace = (now - run.began) / (done - run.doneAtBegin);
  else Object.assign(run, { began: now, doneAtBegin: done });
}
