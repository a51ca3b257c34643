// What a person says about objects on frames, on its way to the server and back as masks. (Part of VideoApp.)

const VideoPrompts = {
  // one undoable change of what is said about an object on a frame
  say(object, frame, prompt) {
    const before = this.state.promptAt(object, frame);
    const isNew = !this.state.thing(object);
    this.steps.add({
      undo: () => this.sayAgain(object, frame, before, isNew && { removed: true }),
      redo: () => this.sayAgain(object, frame, prompt, isNew && { removed: false }),
    });
    this.put(object, frame, prompt);
  },

  // a step back or forth: an object that came with its first prompt goes with it
  async sayAgain(object, frame, prompt, comesOrGoes) {
    if (comesOrGoes) return this.putObject(object, comesOrGoes);
    this.seek(frame);
    this.select(object);
    this.put(object, frame, prompt);
  },

  put(object, frame, prompt) {
    const { state } = this;
    if (!state.thing(object)) {
      state.things.push({ id: object, name: "object", color: "#9ca3af", removed: false });
      state.lanes.set(object, emptyLane(state.video.frames));
    }
    state.selected = object;
    state.setPrompt(object, frame, prompt);
    this.objectsChanged();
    const waiting = this.queue.find((entry) => !entry.sent && entry.object === object && entry.frame === frame);
    if (waiting) waiting.prompt = prompt;
    else this.queue.push({ object, frame, prompt, video: state.video.video });
    this.sendPrompts();
  },

  async sendPrompts() {
    if (this.sending) return;
    this.sending = true;
    while (this.queue.length) {
      const [entry] = this.queue;
      entry.sent = true;
      this.setSaving("saving");
      try {
        await this.sendPrompt(entry);
      } catch (failure) {
        if (failure.kind === "Offline") {
          entry.sent = false;
          this.setSaving("failed", failure.message);
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
    if (this.saving !== "failed") this.setSaving("saved");
  },

  async sendPrompt({ object, frame, prompt, video }) {
    this.setPhase("encoding");
    const { points, box, absent } = prompt || {};
    const answer = await this.call("video_prompt", { video, revision: this.state.revision, object, frame, points, box, absent });
    const { state } = this;
    if (!state.video || state.video.video !== video) return;
    state.revision = answer.revision;
    state.things = answer.objects;
    state.lanes.set(object, unpackedLane(answer.lane));
    this.player.frames.setMask(frame, object, answer.runs && Mask.fromText(answer.runs));
    this.setPhase("ready");
    if (prompt && !absent && !answer.runs) this.toasts.show(TEXT.noObject);
    this.objectsChanged();
    if (this.player.isShown && state.frame === frame) this.showMasks();
  },

  // something was not accepted: what the server knows replaces what is shown
  async reload(failure) {
    this.toasts.show(failure.kind === "ConflictError" ? VIDEO.changedElsewhere : failure.message, "error");
    this.steps.clear();
    this.steps.askedOlder = false;
    try {
      this.state.take(await this.call("video_work", { video: this.state.video.video }));
      this.setSaving("saved");
    } catch (again) {
      this.setSaving("failed", again.message);
      if (again.kind !== "Offline") return this.closeVideo("failed");
    }
    this.setPhase("ready");
    this.player.frames.touchAll();
    this.player.refresh();
    this.objectsChanged();
  },

  // resolves when everything said has arrived
  async allSaid() {
    while (this.sending) await new Promise((resolve) => setTimeout(resolve, 20));
  },

  // gestures

  // a box says afresh what the object is
  mark(change) {
    const { state } = this;
    if (!this.player.isShown) return;
    this.player.pause();
    this.follow(false);
    const { points, box } = { ...state.draft, ...(change.box ? { points: [] } : {}), ...change };
    this.say(state.selected ?? state.freeId, state.frame, points.length || box ? { points, box, absent: false } : null);
  },

  markAbsent(object = this.state.selected) {
    if (!this.state.thing(object)) return this.toasts.show(VIDEO.selectFirst);
    this.select(object);
    const said = this.state.promptAt(object, this.state.frame);
    this.say(object, this.state.frame, said && said.absent ? null : { points: [], box: null, absent: true });
  },

  clearHere(object = this.state.selected) {
    if (object !== null && this.state.promptAt(object, this.state.frame)) this.say(object, this.state.frame, null);
  },

  // objects

  newObject() {
    this.select(null);
  },

  select(id) {
    this.state.selected = id;
    this.objectsChanged();
  },

  selectNumber(number) {
    const thing = this.state.shownThings[number - 1];
    if (thing) this.select(thing.id);
  },

  selectAt(x, y) {
    const under = this.smallestAt(this.state.objects, x, y);
    this.select(under ? under.id : null);
  },

  async rename(id = this.state.selected) {
    const thing = this.state.thing(id);
    if (!thing) return this.toasts.show(VIDEO.selectFirst);
    const name = await this.dialogs.ask(VIDEO.rename, thing.name);
    if (name && name !== thing.name) this.changeObject(id, { name });
  },

  removeSelected() {
    this.removeObject(this.state.selected);
  },

  removeObject(id) {
    if (this.state.thing(id)) this.changeObject(id, { removed: true });
  },

  changeObject(id, change) {
    const thing = this.state.things.find((one) => one.id === id);
    const back = Object.fromEntries(Object.keys(change).map((key) => [key, thing[key]]));
    this.steps.add({ undo: () => this.putObject(id, back), redo: () => this.putObject(id, change) });
    return this.putObject(id, change).catch(() => {});
  },

  async putObject(id, change) {
    const { state } = this, { video } = state;
    await this.allSaid();
    if (state.video !== video) return;
    const { name, removed } = { ...state.things.find((one) => one.id === id), ...change };
    this.setSaving("saving");
    try {
      const work = await this.call("video_object", { video: video.video, revision: state.revision, object: id, name, removed });
      if (state.video !== video) return this.setSaving("saved");
      state.take(work);
    } catch (failure) {
      if (state.video !== video) return this.fail(failure);
      await this.reload(failure);
      throw failure;
    }
    this.setSaving("saved");
    if (!removed) state.selected = id;
    this.player.frames.touchAll();
    this.player.refresh();
    this.objectsChanged();
  },

  toggleObject(id) {
    const { hiddenObjects } = this.state;
    if (!hiddenObjects.delete(id)) hiddenObjects.add(id);
    this.objectsChanged();
  },

  // undo

  async undo() {
    if (!this.steps.done.length) await this.olderSteps();
    if (!await this.steps.undo().catch(() => true)) this.toasts.show(TEXT.nothingToUndo);
  },

  async redo() {
    if (!await this.steps.redo().catch(() => true)) this.toasts.show(TEXT.nothingToRedo);
  },

  // after a reload: what the history on disk says, once
  async olderSteps() {
    const { video } = this.state;
    if (!video || this.steps.askedOlder || this.steps.undone.length) return;
    this.steps.askedOlder = true;
    try {
      const { changes } = await this.call("video_history", { video: video.video });
      this.steps.addOlder(stillDone(changes).map((change) => this.olderStep(change)).filter(Boolean));
    } catch (failure) {
      this.fail(failure);
    }
  },

  olderStep({ object, frame, before, after, is_new: isNew }) {
    if (frame === undefined) {
      if (!before) return null;
      return { undo: () => this.putObject(object, before), redo: () => this.putObject(object, after) };
    }
    return {
      undo: () => this.sayAgain(object, frame, before, isNew && { removed: true }),
      redo: () => this.sayAgain(object, frame, after, isNew && { removed: false }),
    };
  },
};

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
