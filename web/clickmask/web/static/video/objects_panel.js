// @ts-check
// The list of objects that are followed.

import { icon, iconButton, make, replaceChildren } from "../shared/dom.js";
import { withKey } from "../shared/page_controls.js";
import { TEXT, VIDEO } from "../shared/strings.js";

export class VideoObjectsPanel {
  constructor(root, app) {
    this.app = app;
    this.element = root.querySelector(".cm-objects");
    this.rows = new Map();
  }

  render() {
    const { state } = this.app;
    this.rows.clear();
    const rows = state.shownThings.map((thing, i) => this.row(thing, i));
    const add = make("button", { type: "button", class: "cm-plain cm-new", "aria-pressed": String(state.selected === null), onclick: () => this.app.objects.startNew() },
      icon("plus"), VIDEO.newObject, make("kbd", {}, "N"));
    replaceChildren(this.element,
      make("h2", {}, TEXT.objects, make("span", { class: "cm-count" }, String(rows.length || ""))),
      make("div", { class: "cm-list", role: "listbox", "aria-label": TEXT.objects }, rows.length ? rows : make("p", { class: "cm-empty" }, state.video ? VIDEO.noObjects : "")),
      state.video && add);
    this.update();
  }

  row(thing, i) {
    const { app } = this;
    const action = (name, title, run) => iconButton(name, title, (event) => { event.stopPropagation(); run(); });
    const hidden = app.state.hiddenObjects.has(thing.id);
    const row = make("div", {
      class: "cm-item cm-thing", role: "option", tabIndex: -1, "aria-selected": String(thing.id === app.state.selected), style: `--dot:${thing.color}`,
      onclick: () => app.objects.select(thing.id), ondblclick: () => app.objects.rename(thing.id),
    },
    make("span", { class: "cm-dot" }),
    make("span", { class: "cm-name" }, make("b", {}, VIDEO.thing(thing)), make("small", {})),
    make("span", { class: "cm-acts" },
      action("clear", VIDEO.clearHere, () => app.prompts.clearHere(thing.id)),
      action("absent", withKey(VIDEO.notHere, "M"), () => app.prompts.markAbsent(thing.id)),
      action("pencil", withKey(VIDEO.renameShort, "R"), () => app.objects.rename(thing.id)),
      action(hidden ? "hidden" : "eye", hidden ? TEXT.show : TEXT.hide, () => app.objects.toggle(thing.id)),
      action("bin", TEXT.remove, () => app.objects.remove(thing.id))),
    i < 9 ? make("kbd", {}, String(i + 1)) : null);
    row.dataset.object = thing.id;
    row.dataset.hidden = hidden;
    this.rows.set(thing.id, row);
    return row;
  }

  // what is known on the frame that is shown
  update() {
    const { state } = this.app;
    for (const [id, row] of this.rows) {
      row.dataset.letter = state.letterAt(id, state.frame);
      row.querySelector("small").textContent = this.app.aboutFrame(id, state.frame);
      row.querySelector(".cm-acts button").hidden = !state.promptAt(id, state.frame);
    }
  }
}
