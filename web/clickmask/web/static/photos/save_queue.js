// @ts-check
// Writes on their way to the disk: in order, kept until acknowledged, also over a reload or a lost server.
// When another tab was faster, the newest labels are fetched and what does not contradict them is written again.

const PREFIX = "clickmask-unsaved:";

export class SaveQueue {
  /** @param {Function} call @param {{changed: Function, merged: Function}} events @param {Storage} storage */
  constructor(call, events, storage = localStorage) {
    this.call = call;
    this.events = events; // {changed(state, message, isNew), merged(folder, picture, labels, dropped)}
    this.storage = storage;
    this.key = PREFIX + Math.random().toString(36).slice(2); // every page has its own: two tabs do not forget each other's
    this.queue = [];
    this.revisions = new Map(); // folder:picture -> revision
    this.state = "saved";
  }

  // takes up what earlier pages could not write, in whatever folder
  resume() {
    const old = Object.keys(this.storage).filter((key) => key.startsWith(PREFIX) && key !== this.key);
    this.queue.push(...old.flatMap((key) => JSON.parse(this.storage.getItem(key) || "[]")));
    this.keep();
    for (const key of old) this.storage.removeItem(key);
    if (this.queue.length) this.run();
  }

  // changes: [{id, before, after}] with objects as the server knows them
  write(folder, picture, changes) {
    this.queue.push({ folder, picture, changes });
    this.keep();
    this.run();
  }

  of(folder, picture) {
    return this.queue.filter((entry) => entry.folder === folder && entry.picture === picture);
  }

  known(folder, picture, revision) {
    this.revisions.set(`${folder}:${picture}`, revision);
  }

  keep() {
    try {
      if (this.queue.length) this.storage.setItem(this.key, JSON.stringify(this.queue));
      else this.storage.removeItem(this.key);
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

  // resolves when nothing is on its way any more
  async settled() {
    while (this.running) await new Promise((resolve) => setTimeout(resolve, 20));
  }

  async send(entry) {
    const { folder, picture, changes } = entry;
    const key = `${folder}:${picture}`;
    if (!this.revisions.has(key)) this.known(folder, picture, (await this.call("labels", { folder, picture })).revision);
    try {
      const sent = changes.map(({ id, after }) => ({ id, object: after }));
      const answer = await this.call("write", { folder, picture, revision: this.revisions.get(key), changes: sent });
      this.known(folder, picture, answer.revision);
    } catch (failure) {
      if (failure.kind !== "ConflictError") throw failure;
      await this.merge(entry);
    }
  }

  async merge(entry) {
    const { folder, picture } = entry;
    const labels = await this.call("labels", { folder, picture });
    this.known(folder, picture, labels.revision);
    const theirs = new Map(labels.objects.map((object) => [object.id, object]));
    const fits = (change) => sameObject(theirs.get(change.id), change.before) || sameObject(theirs.get(change.id), change.after);
    const kept = entry.changes.filter(fits);
    for (const { id, after } of kept) after ? theirs.set(id, after) : theirs.delete(id);
    this.events.merged(folder, picture, [...theirs.values()], kept.length < entry.changes.length);
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
