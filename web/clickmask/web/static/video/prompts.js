// @ts-check
// What a person says about objects on frames, on its way to the server and back as masks.

import { Marks } from "../shared/marks.js";
import { Mask } from "../shared/mask.js";
import { TEXT, VIDEO } from "../shared/strings.js";
import { emptyLane, unpackedLane } from "./state.js";

export class VideoPrompts extends Marks {
  /** @param {import("./app.js").VideoApp} page */
  constructor(page) {
    super(page);
    this.queue = []; // what was said and has not arrived at the server
    this.sending = false;
  }

  // one undoable change of what is said about an object on a frame
  say(object, frame, prompt) {
    const before = this.state.promptAt(object, frame);
    const isNew = !this.state.thing(object);
    this.page.history.add({
      undo: () => this.sayAgain(object, frame, before, isNew && { removed: true }),
      redo: () => this.sayAgain(object, frame, prompt, isNew && { removed: false }),
    });
    this.put(object, frame, prompt);
  }

  // a step back or forth: an object that came with its first prompt goes with it
  async sayAgain(object, frame, prompt, comesOrGoes) {
    if (comesOrGoes) return this.page.objects.put(object, comesOrGoes);
    this.page.seek(frame);
    this.page.objects.select(object);
    this.put(object, frame, prompt);
  }

  put(object, frame, prompt) {
    const { state } = this;
    if (!state.thing(object)) {
      state.things.push({ id: object, name: "object", color: "#9ca3af", removed: false });
      state.lanes.set(object, emptyLane(state.video.frames));
    }
    state.selected = object;
    state.setPrompt(object, frame, prompt);
    this.page.objectsChanged();
    const waiting = this.queue.find((entry) => !entry.sent && entry.object === object && entry.frame === frame);
    if (waiting) waiting.prompt = prompt;
    else this.queue.push({ object, frame, prompt, video: state.video.video });
    this.send();
  }

  async send() {
    if (this.sending) return;
    this.sending = true;
    while (this.queue.length) {
      const [entry] = this.queue;
      entry.sent = true;
      this.page.setSaving("saving");
      try {
        await this.sendOne(entry);
      } catch (failure) {
        if (failure.kind === "Offline") {
          entry.sent = false;
          this.page.setSaving("failed", failure.message);
          await new Promise((resolve) => setTimeout(resolve, 1500));
          continue;
        }
        this.queue.length = 0;
        await this.reload(failure);
        break;
      }
      this.queue.shift();
    }
    this.sending = false;
    if (this.page.saving !== "failed") this.page.setSaving("saved");
  }

  async sendOne({ object, frame, prompt, video }) {
    this.page.setPhase("encoding");
    const { points, box, absent } = prompt || {};
    const answer = await this.page.call("video_prompt", { video, revision: this.state.revision, object, frame, points, box, absent });
    const { state } = this;
    if (!state.video || state.video.video !== video) return;
    state.revision = answer.revision;
    state.things = answer.objects;
    state.lanes.set(object, unpackedLane(answer.lane));
    this.page.player.frames.setMask(frame, object, answer.runs && Mask.fromText(answer.runs));
    this.page.setPhase("ready");
    if (prompt && !absent && !answer.runs) this.page.toasts.show(TEXT.noObject);
    this.page.objectsChanged();
    if (this.page.player.isShown && state.frame === frame) this.page.showMasks();
  }

  // something was not accepted: what the server knows replaces what is shown
  async reload(failure) {
    this.page.toasts.show(failure.kind === "ConflictError" ? VIDEO.changedElsewhere : failure.message, "error");
    this.page.history.forget();
    try {
      this.state.take(await this.page.call("video_work", { video: this.state.video.video }));
      this.page.setSaving("saved");
    } catch (again) {
      this.page.setSaving("failed", again.message);
      if (again.kind !== "Offline") return this.page.library.close("failed");
    }
    this.page.setPhase("ready");
    this.page.player.frames.touchAll();
    this.page.player.refresh();
    this.page.objectsChanged();
  }

  // resolves when everything said has arrived
  async allSaid() {
    while (this.sending) await new Promise((resolve) => setTimeout(resolve, 20));
  }

  // a box says afresh what the object is
  mark(change) {
    const { state } = this;
    if (!this.page.player.isShown) return;
    this.page.player.pause();
    this.page.tracking.follow(false);
    const { points, box } = { ...state.draft, ...(change.box ? { points: [] } : {}), ...change };
    this.say(state.selected ?? state.freeId, state.frame, points.length || box ? { points, box, absent: false } : null);
  }

  markAbsent(object = this.state.selected) {
    if (!this.state.thing(object)) return this.page.toasts.show(VIDEO.selectFirst);
    this.page.objects.select(object);
    const said = this.state.promptAt(object, this.state.frame);
    this.say(object, this.state.frame, said && said.absent ? null : { points: [], box: null, absent: true });
  }

  clearHere(object = this.state.selected) {
    if (object !== null && this.state.promptAt(object, this.state.frame)) this.say(object, this.state.frame, null);
  }
}
