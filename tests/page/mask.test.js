import assert from "node:assert/strict";
import { test } from "node:test";

import { Mask } from "../../web/clickmask/web/static/shared/mask.js";

// a mask from rows of "#" and "."
function drawn(...rows) {
  return Mask.fromBits(Uint8Array.from(rows.join(""), (letter) => (letter === "#" ? 1 : 0)), 0, 0, rows[0].length, rows.length);
}

function bitsOf(mask, width, height) {
  const bits = new Uint8Array(width * height);
  mask.drawInto(bits, { x: 0, y: 0, width, height });
  return [...bits];
}

test("run lengths cover the box of the mask and begin with background", () => {
  assert.deepEqual([...drawn("....", ".##.", "..#.").numbers], [1, 1, 2, 2, 0, 2, 1, 1]);
  assert.deepEqual([...drawn("....").numbers], [0, 0, 0, 0]);
});

test("a mask comes back from its text, and knows its area and its pixels", () => {
  for (let seed = 1; seed < 60; seed++) {
    const bits = Uint8Array.from({ length: 77 }, (_, i) => ((i + 3) * seed * 2654435761 >>> 7) & 1);
    const mask = Mask.fromText(Mask.fromBits(bits, 0, 0, 11, 7).text);
    assert.deepEqual(bitsOf(mask, 11, 7), [...bits]);
    assert.equal(mask.area, bits.reduce((sum, bit) => sum + bit, 0));
    bits.forEach((bit, i) => assert.equal(mask.contains((i % 11) + 0.5, Math.floor(i / 11) + 0.5), bit === 1));
  }
});

test("a coarser copy keeps every pixel's place and loses nothing small", () => {
  const mask = drawn("#...", "....", "...#", "...#");
  assert.deepEqual(bitsOf(mask.coarser(1), 2, 2), [1, 0, 0, 1]);
  assert.equal(mask.coarser(0), mask);
});
