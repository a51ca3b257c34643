import assert from "node:assert/strict";
import { test } from "node:test";

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

// as the browser's: keys are properties
function storage() {
  const methods = { getItem(key) { return this[key] ?? null; }, setItem(key, value) { this[key] = value; }, removeItem(key) { delete this[key]; } };
  return /** @type {any} */ (Object.create(methods));
}

function events() {
  const told = [];
  return { told, changed: (state) => told.push(state), merged: (_folder, _picture, objects, dropped) => told.push(["merged", objects.map(({ id }) => id), dropped]) };
}

const change = (id, before, after) => ({ id, before, after });

test("writes are kept until the server has them, over a reload and whatever folder is open then", async () => {
  let isThere = false;
  const written = [];
  const call = async (name, message) => {
    if (!isThere) throw new Failure("away", "Offline");
    if (name === "labels") return { revision: 7, objects: [] };
    written.push([message.folder, message.picture, message.revision]);
    return { revision: message.revision + 1 };
  };
  const kept = storage();
  const first = new SaveQueue(call, events(), kept);
  first.write("/a", 1, [change("x", null, { id: "x", runs: "", category: 1 })]);
  first.write("/a", 1, [change("x", null, null)]);
  first.write("/b", 1, [change("y", null, null)]);
  await settled();
  clearTimeout(first.timer);
  assert.equal(first.state, "failed");
  isThere = true;
  const second = new SaveQueue(call, events(), kept);
  second.resume();
  await settled();
  assert.deepEqual(written, [["/a", 1, 7], ["/a", 1, 8], ["/b", 1, 7]]);
  assert.deepEqual(Object.keys(kept), []);
  assert.equal(second.queue.length, 0);
});

test("two pages do not forget each other's writes", async () => {
  const never = () => new Promise(() => {});
  const kept = storage();
  new SaveQueue(never, events(), kept).write("/a", 1, [change("x", null, null)]);
  new SaveQueue(never, events(), kept).write("/a", 2, [change("y", null, null)]);
  const third = new SaveQueue(never, events(), kept);
  third.resume();
  assert.deepEqual(third.queue.map(({ picture }) => picture).sort(), [1, 2]);
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
  const queue = new SaveQueue(call, told, storage());
  queue.known("/a", 1, 3);
  queue.write("/a", 1, [change("m", null, { id: "m", runs: "A", category: 1 }), change("t", { ...theirs, runs: "old" }, null)]);
  await settled();
  assert.deepEqual(sent, [["m"]]);
  assert.deepEqual(told.told.find(Array.isArray), ["merged", ["t", "m"], true]);
});
