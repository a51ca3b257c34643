// @ts-check
// Modal windows: help, folders, export. One at a time; Esc closes.

import { iconButton, make } from "./dom.js";
import { TEXT } from "./strings.js";

export class Dialogs {
  constructor(root) {
    this.root = root;
  }

  get isOpen() {
    return Boolean(this.dialog);
  }

  open(title, ...content) {
    this.close();
    const close = iconButton("close", TEXT.close, () => this.close());
    const dialog = make("dialog", { class: "cm-dialog", "aria-label": title }, make("header", {}, make("h2", {}, title), close), make("div", { class: "cm-body" }, content));
    dialog.addEventListener("close", () => this.closed(dialog));
    dialog.addEventListener("click", (event) => { if (event.target === dialog) this.close(); });
    this.dialog = dialog;
    this.before = document.activeElement;
    this.root.append(dialog);
    dialog.tabIndex = -1;
    dialog.showModal();
    dialog.focus();
    return dialog.querySelector(".cm-body");
  }

  close() {
    if (this.dialog) this.dialog.close();
  }

  closed(dialog) {
    dialog.remove();
    if (this.dialog === dialog) this.dialog = null;
    const back = this.before && this.before.isConnected && this.root.contains(this.before) ? this.before : this.root;
    back.focus({ preventScroll: true });
  }

  // asks for one line of text, above whatever else there is to choose; gives null when left
  ask(title, value = "", ...more) {
    return new Promise((resolve) => {
      const input = make("input", { class: "cm-input", value, "aria-label": title });
      const form = make("form", { class: "cm-form" }, make("div", { class: "cm-row" }, input, make("button", { class: "cm-primary" }, TEXT.ok)), more);
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        resolve(input.value.trim() || null);
        this.close();
      });
      this.open(title, form);
      this.dialog.addEventListener("close", () => resolve(null));
      input.focus();
      input.select();
    });
  }
}
