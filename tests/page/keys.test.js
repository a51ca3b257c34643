import assert from "node:assert/strict";
import { test } from "node:test";

import { Keymap } from "../../web/clickmask/web/static/shared/keymap.js";
import { strokeLabel } from "../../web/clickmask/web/static/shared/strokes.js";

function memory() {
  const kept = new Map();
  return /** @type {any} */ ({ getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value), removeItem: (key) => kept.delete(key) });
}

const KEYS = { next: ["d", "arrowright"], far: ["shift+arrowright"], undo: ["ctrl+z"], redo: ["ctrl+shift+z"], one: ["1"], smaller: ["["], larger: ["]"], help: ["?"], zoom: ["+"] };

function keymap(storage = memory()) {
  return new Keymap(Object.entries(KEYS).map(([id, keys]) => ({ id, keys, run() {} })), storage, "test");
}

function pressed(key, code, modifiers = {}) {
  const event = { key, code, ctrlKey: false, shiftKey: false, altKey: false, metaKey: false, getModifierState: (name) => name === modifiers.graph, ...modifiers };
  return keymap().commandFor(event)?.id ?? null;
}

for (const [layout, key, code, modifiers, wanted] of [
  ["Latin", "d", "KeyD", {}, "next"],
  ["Caps Lock", "D", "KeyD", { shiftKey: true }, "next"],
  ["Cyrillic", "в", "KeyD", {}, "next"],
  ["Greek", "δ", "KeyD", {}, "next"],
  ["an input method", "Process", "KeyD", {}, "next"],
  ["Dvorak, by letter", "d", "KeyH", {}, "next"],
  ["Cyrillic undo", "я", "KeyZ", { ctrlKey: true }, "undo"],
  ["AZERTY undo", "z", "KeyW", { ctrlKey: true }, "undo"],
  ["QWERTZ undo", "z", "KeyY", { metaKey: true }, "undo"],
  ["redo", "Z", "KeyZ", { ctrlKey: true, shiftKey: true }, "redo"],
  ["AZERTY digit", "&", "Digit1", {}, "one"],
  ["AZERTY digit with Shift", "1", "Digit1", { shiftKey: true }, "one"],
  ["not an exclamation mark", "!", "Digit1", { shiftKey: true }, null],
  ["German bracket with AltGr", "[", "Digit8", { ctrlKey: true, altKey: true, graph: "AltGraph" }, "smaller"],
  ["Mac bracket with Option", "]", "Digit6", { altKey: true }, "larger"],
  ["Nordic place of the bracket", "å", "BracketLeft", {}, "smaller"],
  ["German plus lies where a bracket is", "+", "BracketRight", {}, "zoom"],
  ["question mark of any layout", "?", "Minus", { shiftKey: true }, "help"],
  ["far", "ArrowRight", "ArrowRight", { shiftKey: true }, "far"],
  ["Alt is the browser's", "d", "KeyD", { altKey: true }, null],
]) test(`a key is found on every layout: ${layout}`, () => assert.equal(pressed(key, code, modifiers), wanted));

test("a key that is given to another command leaves the one that had it, also after a reload", () => {
  const storage = memory();
  const keys = keymap(storage);
  assert.equal(keys.assign("undo", "d").id, "next");
  const again = keymap(storage);
  assert.deepEqual([again.keysOf("undo"), again.keysOf("next")], [["d"], ["arrowright"]]);
  again.reset();
  assert.deepEqual(keymap(storage).keysOf("next"), ["d", "arrowright"]);
});

test("strokes are told as they are printed on keys", () => {
  assert.deepEqual(["ctrl+shift+z", "arrowleft", "[", " ", "+"].map(strokeLabel), ["Ctrl Shift Z", "←", "[", "Space", "+"]);
});
