// @ts-check
// A slider with its title and its value in words.

import { make } from "./dom.js";

export function slider(title, min, max, step, value, changed, words) {
  const output = make("output", {}, words(value));
  const input = make("input", { type: "range", min, max, step, value, "aria-label": title });
  input.addEventListener("input", () => { output.textContent = words(Number(input.value)); changed(Number(input.value)); });
  const set = (next) => { input.value = next; output.textContent = words(next); };
  return { node: make("label", { class: "cm-slider" }, make("span", {}, title), output, input), set };
}
