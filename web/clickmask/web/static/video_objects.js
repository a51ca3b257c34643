// The list of objects that are followed.

class VideoObjectsPanel {
  constructor(root, app) {
    this.app = app;
    this.element = root.querySelector(".cm-objects");
    this.rows = new Map();
  }

  render() {
    const { state } = this.app;
    this.rows.clear();
    const rows = state.shownThings.map((thing, i) => this.row(thing, i));
    const add = make("button", { type: "button", class: "cm-plain cm-new", "aria-pressed": String(state.selected === null), onclick: () => this.app.newObject() },
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
      onclick: () => app.select(thing.id), ondblclick: () => app.rename(thing.id),
    },
    make("span", { class: "cm-dot" }),
    make("span", { class: "cm-name" }, make("b", {}, VIDEO.thing(thing)), make("small", {})),
    make("span", { class: "cm-acts" },
      action("clear", VIDEO.clearHere, () => app.clearHere(thing.id)),
      action("absent", withKey(VIDEO.notHere, "M"), () => app.markAbsent(thing.id)),
      action("pencil", withKey(VIDEO.renameShort, "R"), () => app.rename(thing.id)),
      action(hidden ? "hidden" : "eye", hidden ? TEXT.show : TEXT.hide, () => app.toggleObject(thing.id)),
      action("bin", TEXT.remove, () => app.removeObject(thing.id))),
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
