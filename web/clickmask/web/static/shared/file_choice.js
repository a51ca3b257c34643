// @ts-check
// The browser's own dialog for files.

import { make } from "./dom.js";

/** @returns {Promise<File[]>} none when the dialog is left */
export function chooseFiles(accept, multiple = false) {
  return new Promise((resolve) => {
    const input = make("input", { type: "file", accept, multiple });
    input.addEventListener("change", () => resolve([...input.files]));
    input.addEventListener("cancel", () => resolve([]));
    input.click();
  });
}
