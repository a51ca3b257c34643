// @ts-check
// The state of the open picture, with a note for whoever has to do it again.

import { find, make } from "../shared/dom.js";
import { TEXT } from "../shared/strings.js";

export class PicturePanel {
  /** @param {HTMLElement} root @param {import("./app.js").PhotoApp} app */
  constructor(root, app) {
    this.app = app;
    const options = Object.entries(TEXT.statuses).map(([value, words]) => make("option", { value }, words));
    this.status = make("select", { class: "cm-input cm-status", "aria-label": TEXT.state, onchange: () => this.send() }, options);
    this.note = make("input", { class: "cm-input", placeholder: TEXT.note, "aria-label": TEXT.note, onchange: () => this.send() });
    this.element = make("section", { class: "cm-of-picture" }, this.status, this.note);
    find(root, ".cm-left").append(this.element);
  }

  send() {
    this.app.folder.setStatus(this.app.state.picture, this.status.value, this.note.value.trim());
    this.app.focus();
  }

  render() {
    const { picture } = this.app.state;
    this.element.hidden = !picture;
    if (!picture) return;
    this.status.value = picture.status;
    this.note.value = picture.note || "";
    this.note.hidden = !picture.note && picture.status !== "redo";
    this.element.dataset.status = picture.status;
  }
}
