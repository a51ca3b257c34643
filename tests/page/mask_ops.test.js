import assert from "node:assert/strict";
import { test } from "node:test";

import { clipped, cutAlong, largestPart, minus, union, withoutHoles } from "../../web/clickmask/web/static/shared/mask_ops.js";
import { Mask } from "../../web/clickmask/web/static/shared/mask.js";

// a mask from rows of "#" and "."
function drawn(...rows) {
  return Mask.fromBits(Uint8Array.from(rows.join(""), (letter) => (letter === "#" ? 1 : 0)), 0, 0, rows[0].length, rows.length);
}

function rowsOf(mask, width, height) {
  const bits = new Uint8Array(width * height);
  mask.drawInto(bits, { x: 0, y: 0, width, height });
  return Array.from({ length: height }, (_, y) => [...bits.subarray(y * width, (y + 1) * width)].map((bit) => (bit ? "#" : ".")).join(""));
}

const RING = ["......", ".####.", ".#..#.", ".####.", "......"];

test("joining and taking away are exact to the pixel", () => {
  const one = drawn("##..", "##.."), other = drawn(".##.", "...#");
  assert.deepEqual(rowsOf(union(one, other), 4, 2), ["###.", "##.#"]);
  assert.deepEqual(rowsOf(minus(one, other), 4, 2), ["#...", "##.."]);
  assert.equal(minus(one, one).area, 0);
  assert.equal(union(one, drawn("....", "....")).text, one.text);
});

test("the largest part stays; a corner does not connect", () => {
  const mask = drawn("##..", "##..", "..#.");
  assert.deepEqual(rowsOf(largestPart(mask), 4, 3), ["##..", "##..", "...."]);
  const single = drawn("##", "#.");
  assert.equal(largestPart(single), single);
});

test("holes are filled, bays are not", () => {
  assert.deepEqual(rowsOf(withoutHoles(drawn(...RING)), 6, 5), ["......", ".####.", ".####.", ".####.", "......"]);
  const bay = drawn("###", "#..", "###");
  assert.equal(withoutHoles(bay), bay);
});

test("a line cuts a mask in two, no pixel is lost, and what it does not touch stays with the larger", () => {
  const mask = drawn("######", "######", "......", "#.....");
  const pieces = cutAlong(mask, [[4.5, -1], [4.5, 3]]);
  assert.equal(pieces.length, 2);
  assert.equal(pieces[0].area + pieces[1].area, mask.area);
  assert.equal(minus(pieces[0], pieces[1]).area, pieces[0].area);
  assert.ok(pieces[0].contains(0.5, 3.5));
  assert.ok(pieces[1].contains(5.5, 0.5));
});

test("a slanted line leaves no way through its corners", () => {
  const mask = Mask.fromBits(new Uint8Array(400).fill(1), 0, 0, 20, 20);
  for (const line of [[[-1, -1], [21, 21]], [[21, 3], [-1, 9]], [[3, -1], [9, 21]]]) assert.equal(cutAlong(mask, line).length, 2);
});

test("a line that ends inside does not cut", () => {
  const mask = drawn("####", "####");
  assert.deepEqual(cutAlong(mask, [[1, -1], [1, 0.5]]), [mask]);
});

test("a mask is clipped to the picture", () => {
  assert.deepEqual(rowsOf(clipped(drawn(...RING), { width: 3, height: 2 }), 3, 2), ["...", ".##"]);
});
