import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { SaveQueue } from "../../web/clickmask/web/static/photos/save_queue.js";
import { Failure } from "../../web/clickmask/web/static/shared/failure.js";
import { RequestQueue } from "../../web/clickmask/web/static/shared/request_queue.js";
import { Steps } from "../../web/clickmask/web/static/shared/steps.js";

const settled = () => new Promise((resolve) => setTimeout(resolve, 5));

test("of the requests that wait only the newest is sent", async () => {
  const asked = [], answered = [];
  const answers = [];
  const queue = new RequestQueue((q) => { asked.push(q.n); return new Promise((resolve) => answers.push(resolve)); }, (q) => answered.push(q.n), () => {});
  for (const n of [1, 2, 3]) queue.put({ n });
  assert.deepEqual(asked, [1]);
  answers[0]();
  await settled();
  assert.deepEqual([asked, answered], [[1, 3], [1]]);
  answers[1]();
  await settled();
  assert.equal(queue.busy, false);
});

test("a prompt does not wait for the second look at an older one", () => {
  const asked = [];
  const queue = new RequestQueue((q) => { asked.push(q.n); return new Promise(() => {}); }, () => {}, () => {});
  queue.put({ n: 1, zoom: true });
  queue.put({ n: 2 });
  assert.deepEqual(asked, [1, 2]);
});

test("a failed request is told and the next one goes on", async () => {
  const failed = [], answered = [];
  const queue = new RequestQueue(async (q) => { if (q.n === 1) throw new Error("no"); }, (q) => answered.push(q.n), (q) => failed.push(q.n));
  queue.put({ n: 1 });
  queue.put({ n: 2 });
  await settled();
  assert.deepEqual([failed, answered], [[1], [2]]);
});

test("steps go back and forth, and a step that fails stays", async () => {
  let value = 0, broken = false;
  const steps = new Steps(() => {});
  for (const to of [1, 2]) {
    const before = value;
    steps.add({ undo() { if (broken) throw new Error("no"); value = before; }, redo() { value = to; } });
    value = to;
  }
  assert.equal(await steps.undo(), true);
  assert.equal(value, 1);
  broken = true;
  await assert.rejects(steps.undo());
  broken = false;
  await steps.undo();
  assert.equal(await steps.undo(), false);
  await steps.redo();
  await steps.redo();
  assert.equal(value, 2);
  assert.equal(await steps.redo(), false);
});

const stored = new Map();
globalThis.localStorage = /** @type {any} */ ({
  getItem: (key) => stored.get(key) ?? null, setItem: (key, value) => stored.set(key, value), removeItem: (key) => stored.delete(key),
});
beforeEach(() => stored.clear());

function events() {
  const told = [];
  return { told, changed: (state) => told.push(state), merged: (picture, objects, dropped) => told.push(["merged", objects.map(({ id }) => id), dropped]) };
}

test("writes are kept until the server has them, also over a reload", async () => {
  let isThere = false;
  const written = [];
  const call = async (name, message) => {
    if (!isThere) throw new Failure("away", "Offline");
    if (name === "labels") return { revision: 7, objects: [] };
    written.push([message.picture, message.revision]);
    return { revision: message.revision + 1 };
  };
  const first = new SaveQueue(call, events());
  first.resume("/a");
  first.write(1, [{ id: "x", before: null, after: { id: "x", runs: "", category: 1 } }]);
  first.write(1, [{ id: "x", before: null, after: null }]);
  await settled();
  clearTimeout(first.timer);
  isThere = true;
  const second = new SaveQueue(call, events());
  second.resume("/a");
  await settled();
  assert.deepEqual(written, [[1, 7], [1, 8]]);
  assert.equal(stored.size, 0);
  assert.equal(second.queue.length, 0);
});

test("what does not contradict another tab's change is written on top of it", async () => {
  const theirs = { id: "t", runs: "B", category: 1 };
  const sent = [];
  const call = async (name, message) => {
    if (name === "labels") return { revision: 9, objects: [theirs] };
    if (message.revision !== 9) throw new Failure("faster", "ConflictError");
    sent.push(message.changes.map(({ id }) => id));
    return { revision: 10 };
  };
  const told = events();
  const queue = new SaveQueue(call, told);
  queue.resume("/a");
  queue.revisions.set(1, 3);
  const mine = { id: "m", runs: "A", category: 1 };
  queue.write(1, [{ id: "m", before: null, after: mine }, { id: "t", before: { ...theirs, runs: "old" }, after: null }]);
  await settled();
  assert.deepEqual(sent, [["m"]]);
  assert.deepEqual(told.told.find(Array.isArray), ["merged", ["t", "m"], true]);
});
