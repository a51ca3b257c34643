// @ts-check
// Writes on their way to the disk: in order, kept until acknowledged, also over a reload or a lost server.
// When another tab was faster, the newest labels are fetched and what does not contradict them is written again.

export class SaveQueue {
  constructor(call, events) {
    this.call = call;
    this.events = events; // {changed(state, message), merged(picture, labels, dropped)}
    this.queue = [];
    this.revisions = new Map();
    this.state = "saved";
  }

  // takes up what an earlier page could not write
  resume(folder) {
    this.folder = folder;
    const kept = JSON.parse(localStorage.getItem(this.key()) || "[]");
    this.queue.push(...kept);
    if (kept.length) this.run();
    return kept;
  }

  key() {
    return `clickmask-unsaved:${this.folder}`;
  }

  // changes: [{id, before, after}] with objects as the server knows them
  write(picture, changes) {
    this.queue.push({ folder: this.folder, picture, changes });
    this.keep();
    this.run();
  }

  keep() {
    try {
      if (this.queue.length) localStorage.setItem(this.key(), JSON.stringify(this.queue));
      else localStorage.removeItem(this.key());
    } catch { /* the browser's storage is full: the queue in memory is enough while the page is open */ }
  }

  async run() {
    if (this.running) return;
    this.running = true;
    clearTimeout(this.timer);
    while (this.queue.length) {
      this.tell("saving");
      try {
        await this.send(this.queue[0]);
      } catch (failure) {
        this.running = false;
        this.tell("failed", failure.message);
        this.timer = setTimeout(() => this.run(), failure.kind === "Offline" ? 1500 : 8000);
        return;
      }
      this.queue.shift();
      this.keep();
    }
    this.running = false;
    this.tell("saved");
  }

  async send(entry) {
    const { folder, picture, changes } = entry;
    if (!this.revisions.has(picture)) this.revisions.set(picture, (await this.call("labels", { folder, picture })).revision);
    try {
      const sent = changes.map(({ id, after }) => ({ id, object: after }));
      const answer = await this.call("write", { folder, picture, revision: this.revisions.get(picture), changes: sent });
      this.revisions.set(picture, answer.revision);
    } catch (failure) {
      if (failure.kind !== "ConflictError") throw failure;
      await this.merge(entry);
    }
  }

  async merge(entry) {
    const labels = await this.call("labels", { folder: entry.folder, picture: entry.picture });
    this.revisions.set(entry.picture, labels.revision);
    const theirs = new Map(labels.objects.map((object) => [object.id, object]));
    const fits = (change) => sameObject(theirs.get(change.id), change.before) || sameObject(theirs.get(change.id), change.after);
    const kept = entry.changes.filter(fits);
    for (const { id, after } of kept) after ? theirs.set(id, after) : theirs.delete(id);
    this.events.merged(entry.picture, [...theirs.values()], kept.length < entry.changes.length);
    if (kept.length) await this.send({ ...entry, changes: kept });
  }

  tell(state, message = "") {
    const changed = state !== this.state;
    this.state = state;
    this.events.changed(state, message, changed);
  }
}

function sameObject(one, other) {
  if (!one || !other) return !one && !other;
  return one.runs === other.runs && one.category === other.category;
}
