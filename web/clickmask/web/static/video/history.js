// @ts-check
// Undo and redo on a video: what was done on this page, then what the history on disk says.

import { StepHistory } from "../shared/history.js";
import { Steps } from "../shared/steps.js";

export class VideoHistory extends StepHistory {
  /** @param {import("./app.js").VideoApp} page */
  constructor(page) {
    super(page);
    this.steps = new Steps(() => page.controls && page.controls.renderHistory());
  }

  get state() {
    return this.page.state;
  }

  // another video, or another state of this one
  forget() {
    this.steps.clear();
    this.steps.askedOlder = false;
  }

  // a step tells itself what went wrong
  async shift(way, nothing) {
    if (!await this.steps[way]().catch(() => true)) this.page.toasts.show(nothing);
  }

  // after a reload: what the history on disk says, once
  async addOlder() {
    const { video } = this.state;
    if (!video || this.steps.askedOlder || this.steps.undone.length) return;
    this.steps.askedOlder = true;
    try {
      const { changes } = await this.page.call("video_history", { video: video.video });
      this.steps.addOlder(stillDone(changes).map((change) => this.olderStep(change)).filter(Boolean));
    } catch (failure) {
      this.page.fail(failure);
    }
  }

  olderStep({ object, frame, before, after, is_new: isNew }) {
    if (frame === undefined) {
      if (!before) return null;
      return { undo: () => this.page.objects.put(object, before), redo: () => this.page.objects.put(object, after) };
    }
    return {
      undo: () => this.page.prompts.sayAgain(object, frame, before, isNew && { removed: true }),
      redo: () => this.page.prompts.sayAgain(object, frame, after, isNew && { removed: false }),
    };
  }
}

// a change and the one that took it back are nothing to undo
function stillDone(changes) {
  const kept = [];
  const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);
  for (const change of changes) {
    const last = kept[kept.length - 1];
    const back = last && last.object === change.object && last.frame === change.frame
      && same(last.before, change.after) && same(last.after, change.before);
    if (back) kept.pop();
    else kept.push(change);
  }
  return kept;
}
