// @ts-check
// The classes, as chips: choose, rename, recolour and remove, by mouse and by keyboard.

import { iconButton, make, replaceChildren } from "../shared/dom.js";
import { TEXT } from "../shared/strings.js";

export class ClassesPanel {
  constructor(root, app) {
    this.app = app;
    this.element = make("section", { class: "cm-classes" });
    root.querySelector(".cm-right").prepend(this.element);
  }

  render() {
    const { categories } = this.app.state;
    const focused = this.focusedChip();
    replaceChildren(this.element,
      make("h2", {}, TEXT.classes, make("span", { class: "cm-space" }),
        iconButton("import", `${TEXT.importClasses}: ${TEXT.importClassesHint}`, () => this.app.classes.importList()),
        iconButton("plus", TEXT.newClass, () => this.app.classes.askNew())),
      make("div", { class: "cm-chips", role: "group", "aria-label": TEXT.classes }, categories.map((category, i) => this.chip(category, i))));
    if (focused >= 0) this.names()[Math.min(focused, categories.length - 1)].focus();
  }

  names() {
    return /** @type {HTMLElement[]} */ ([...this.element.querySelectorAll(".cm-chip-name")]);
  }

  focusedChip() {
    return this.names().indexOf(/** @type {HTMLElement} */ (document.activeElement));
  }

  chip(category, i) {
    const { app } = this;
    const { id } = category;
    const name = make("button", {
      type: "button", class: "cm-chip-name", title: this.title(id), "aria-pressed": String(id === app.state.category),
      onclick: () => app.classes.choose(id), ondblclick: () => app.classes.edit(id), onkeydown: (event) => this.key(event, id),
    }, make("i", { style: `background:${category.color}` }), make("span", {}, category.name), i < 9 ? make("kbd", {}, String(i + 1)) : null);
    const edit = iconButton("pencil", TEXT.editClass, () => app.classes.edit(id), { tabIndex: -1 }); // keys: F2 on the name
    const chip = make("div", { class: "cm-chip" }, name, edit);
    chip.dataset.category = id;
    return chip;
  }

  // with how much there is of it in the folder
  title(id) {
    const pictures = this.app.state.pictures.filter(({ categories }) => categories && categories[id]);
    const objects = pictures.reduce((sum, { categories }) => sum + categories[id], 0);
    return [`${TEXT.objects}: ${objects}, ${TEXT.inFolder(pictures.length)}`, TEXT.classKeys].join("\n");
  }

  key(event, id) {
    const run = { F2: () => this.app.classes.edit(id), Delete: () => this.app.classes.remove(id), Backspace: () => this.app.classes.remove(id) }[event.key];
    if (!run) return;
    event.preventDefault();
    event.stopPropagation(); // Delete elsewhere deletes the selected object
    run();
  }
}
