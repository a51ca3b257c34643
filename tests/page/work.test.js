import assert from "node:assert/strict";
import { test } from "node:test";

import { Drafts } from "../../web/clickmask/web/static/photos/drafts.js";
import { stillDone } from "../../web/clickmask/web/static/photos/history.js";
import { countAfter, ordered } from "../../web/clickmask/web/static/photos/picture_order.js";
import { factsOf, filterCounts, filteredPictures } from "../../web/clickmask/web/static/photos/picture_filter.js";
import { withNewNames } from "../../web/clickmask/web/static/photos/state.js";
import { boxGrip, draggedBox } from "../../web/clickmask/web/static/shared/box_grip.js";
import { newDraft } from "../../web/clickmask/web/static/shared/draft.js";
import { byName } from "../../web/clickmask/web/static/shared/natural_order.js";

function memory() {
  const kept = new Map();
  return /** @type {any} */ ({ getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value), removeItem: (key) => kept.delete(key) });
}

test("names are sorted by their numbers", () => {
  const names = ["img_10.jpg", "img_2.jpg", "B.png", "a.png"].map((name) => ({ name }));
  assert.deepEqual(names.sort(byName).map(({ name }) => name), ["a.png", "B.png", "img_2.jpg", "img_10.jpg"]);
});

test("what was undone is not undone again, what was redone is", () => {
  const write = (before, after) => [{ id: "x", before, after }];
  const [one, two] = [{ runs: "1" }, { runs: "2" }];
  const made = write(null, one), changed = write(one, two), back = write(two, one);
  assert.deepEqual(stillDone([made, changed, back]), [made]);
  assert.deepEqual(stillDone([made, changed, back, changed]), [made, changed]);
  assert.deepEqual(stillDone([made, write(one, null)]), []);
});

test("every picture keeps its own draft over a reload, and an empty one is none", () => {
  const storage = memory();
  const drafts = new Drafts(storage);
  drafts.keep("/a", 1, newDraft({ points: [[1, 2, true]] }));
  drafts.keep("/a", 2, newDraft({ box: [0, 0, 5, 5], view: [0, 0, 9, 9] }));
  drafts.keep("/b", 1, newDraft({ points: [[3, 4, false]] }));
  const again = new Drafts(storage);
  assert.deepEqual([...again.pictures("/a")], [1, 2]);
  assert.deepEqual(again.of("/a", 1, []).points, [[1, 2, true]]);
  assert.deepEqual(again.of("/a", 2, []).view, [0, 0, 9, 9]);
  assert.equal(again.of("/a", 3, []), null);
  again.keep("/a", 1, newDraft());
  assert.deepEqual([...new Drafts(storage).pictures("/a")], [2]);
  assert.deepEqual([...new Drafts(storage).pictures("/b")], [1]);
});

test("an object that was only opened again is no unfinished work", () => {
  const drafts = new Drafts(memory());
  const mask = { text: "" };
  drafts.keep("/a", 1, newDraft({ editing: { id: "x", mask }, base: mask }));
  assert.equal(drafts.pictures("/a").size, 0);
});

const PICTURES = [
  { id: 1, name: "cats/one.jpg", status: "todo", object_count: 0, categories: {}, lowest_score: null, unchecked: 0 },
  { id: 2, name: "dogs/two.jpg", status: "done", object_count: 2, categories: { 7: 2 }, lowest_score: 0.4, unchecked: 1 },
  { id: 3, name: "dogs/three.jpg", status: "redo", object_count: 1, categories: { 8: 1 }, lowest_score: 0.9, unchecked: 0 },
];

test("pictures are found by name, state, objects and class", () => {
  const found = (filter, search = "") => filteredPictures(PICTURES, { filter, search }, new Set([3])).map(({ id }) => id);
  assert.deepEqual(found("all", "DOGS"), [2, 3]);
  assert.deepEqual(found("redo"), [3]);
  assert.deepEqual(found("empty"), [1]);
  assert.deepEqual(found("draft"), [3]);
  assert.deepEqual(found("unsure"), [2]);
  assert.deepEqual(found("unchecked"), [2]);
  assert.deepEqual(found("class:7"), [2]);
  assert.deepEqual(found("class:7", "three"), []);
});

test("filters say how many they would list, and those that list none of objects or classes are left out", () => {
  assert.deepEqual(filterCounts(PICTURES, [{ id: 7 }, { id: 9 }], new Set()), [
    ["states", [["todo", 1], ["done", 1], ["skipped", 0], ["redo", 1]]],
    ["objects", [["empty", 1], ["unsure", 1], ["unchecked", 1]]],
    ["classes", [["class:7", 1]]],
  ]);
});

test("the facts of a picture follow its objects", () => {
  const objects = [{ category: 1, score: 0.5, source: "import" }, { category: 1, score: null, source: "edit" }];
  assert.deepEqual(factsOf(objects), { object_count: 2, categories: { 1: 2 }, lowest_score: 0.5, unchecked: 1, all_good: 0.5 });
});

test("most worth first: doubtful masks nobody saw, then pictures without any, then what is finished", () => {
  const picture = (name, unchecked, all_good, status = "todo") => ({ name, unchecked, all_good, status });
  const pictures = [
    picture("a", 0, 1, "done"), picture("b", 2, 0.9), picture("c", 0, 1), picture("d", 3, 0.1), picture("e", 1, 0.4, "done"),
  ];
  const names = (order) => ordered(pictures, order).map(({ name }) => name).join("");
  assert.equal(names("worth"), "debca");
  assert.equal(names("name"), "abcde");
  assert.equal(countAfter(ordered(pictures, "worth"), pictures[1]), 3);
});

test("a box is resized at corners and sides, and moved at the rest of its border", () => {
  const box = [10, 10, 110, 60];
  assert.deepEqual(boxGrip(box, [11, 9], 4), ["left", "top"]);
  assert.deepEqual(boxGrip(box, [110, 35], 4), ["right"]);
  assert.deepEqual(boxGrip(box, [40, 10], 4), ["left", "right", "top", "bottom"]);
  assert.equal(boxGrip(box, [60, 35], 4), null);
  assert.equal(boxGrip(box, [10, 90], 4), null);
  assert.deepEqual(draggedBox(box, ["left", "top"], 5, 5), [15, 15, 110, 60]);
  assert.deepEqual(draggedBox(box, ["right"], -120, 9), [-10, 10, 10, 60]);
  assert.deepEqual(draggedBox(box, ["left", "right", "top", "bottom"], 1, 2), [11, 12, 111, 62]);
});

test("a setting that an older page kept has its new name", () => {
  assert.deepEqual(withNewNames({ sharp: false, hover: true }), { zoom: false, hover: true });
  assert.deepEqual(withNewNames({ sharp: false, zoom: true }), { zoom: true });
  assert.deepEqual(withNewNames({ opacity: 0.3 }), { opacity: 0.3 });
});
