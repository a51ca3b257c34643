// @ts-check
// Undo and redo: steps that know how to go back and forth again.
// A step is {undo(), redo()}; both may be async and throw, and then the step stays where it was.

export class Steps {
  constructor(changed) {
    this.done = [];
    this.undone = [];
    this.changed = changed;
    this.askedOlder = false; // whether the history on disk was asked for older steps
    this.running = Promise.resolve();
  }

  add(step) {
    this.done.push(step);
    this.undone.length = 0;
    if (this.done.length > 500) this.done.shift();
    this.changed();
  }

  // puts older steps, known from the server, below those of this page
  addOlder(steps) {
    this.done.unshift(...steps);
    this.changed();
  }

  clear() {
    this.done.length = 0;
    this.undone.length = 0;
    this.changed();
  }

  drop(step) {
    this.done = this.done.filter((kept) => kept !== step);
    this.changed();
  }

  undo() {
    return this.inTurn(() => this.shift(this.done, this.undone, "undo"));
  }

  redo() {
    return this.inTurn(() => this.shift(this.undone, this.done, "redo"));
  }

  async shift(from, to, way) {
    const step = from[from.length - 1];
    if (!step) return false;
    await step[way]();
    from.pop();
    to.push(step);
    this.changed();
    return true;
  }

  inTurn(action) {
    const result = this.running.then(action);
    this.running = result.catch(() => {});
    return result;
  }
}
