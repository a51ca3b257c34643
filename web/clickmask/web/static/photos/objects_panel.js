// @ts-check
// The list of objects on the picture, newest first.

import { iconButton, keepChildren, make, replaceChildren } from "../shared/dom.js";
import { TEXT } from "../shared/strings.js";

export class ObjectsPanel {
  constructor(root, app) {
    this.app = app;
    this.element = root.querySelector(".cm-objects");
    this.count = make("span", { class: "cm-count" });
    this.list = make("div", { class: "cm-list", role: "list", "aria-label": TEXT.objects });
    this.empty = make("p", { class: "cm-empty" }, TEXT.noObjects);
    this.element.append(make("h2", {}, TEXT.objects, this.count), this.list);
    this.rows = new Map(); // object id -> {look, row}: with hundreds of objects, only what changed is made anew
  }

  render() {
    const { objects } = this.app.state;
    const before = this.rows;
    this.rows = new Map(objects.map((object) => [object.id, this.kept(object, before.get(object.id))]));
    this.count.textContent = objects.length || "";
    const rows = [...this.rows.values()].map(({ row }) => row).reverse();
    keepChildren(this.list, rows.length ? rows : [this.empty]);
    this.mark();
  }

  // which one is selected
  mark() {
    const selected = new Set(this.app.state.selection.map(({ id }) => id));
    for (const [id, { row }] of this.rows) row.setAttribute("aria-current", String(selected.has(id)));
  }

  scrollTo(id) {
    if (this.rows.has(id)) this.rows.get(id).row.scrollIntoView({ block: "nearest" });
  }

  // the row as it was, if nothing about the object changed
  kept(object, known) {
    const { state } = this.app;
    const look = [object, state.hiddenObjects.has(object.id), state.nameOf(object.category), state.colorOf(object.category)];
    if (known && known.look.every((part, i) => part === look[i])) return known;
    return { look, row: this.row(object) };
  }

  row(object) {
    const hidden = this.app.state.hiddenObjects.has(object.id);
    const action = (name, title, run) => iconButton(name, title, (event) => { event.stopPropagation(); run(); });
    const row = make("div", {
      class: "cm-item", role: "listitem", tabIndex: -1,
      onclick: (event) => this.app.objects.select(object.id, event.shiftKey), ondblclick: () => this.app.objects.show(object),
    },
    this.thumbnail(object),
    make("span", { class: "cm-name" }, this.choice(object), make("small", {}, aboutObject(object))),
    make("span", { class: "cm-acts" },
      action("pencil", TEXT.refine, () => this.app.objects.refine(object)),
      action(hidden ? "hidden" : "eye", hidden ? TEXT.show : TEXT.hide, () => this.app.objects.toggle(object.id)),
      action("bin", TEXT.remove, () => this.app.objects.remove(object.id))));
    row.dataset.object = object.id;
    row.dataset.hidden = hidden;
    return row;
  }

  // the class; the others are listed only when somebody is about to choose
  choice(object) {
    const { state } = this.app;
    const option = ({ id, name }) => make("option", { value: id, selected: id === object.category }, name);
    const fill = ({ target }) => { if (target.length < state.categories.length) replaceChildren(target, state.categories.map(option)); };
    return make("select", {
      class: "cm-class", style: `--dot:${state.colorOf(object.category)}`, "aria-label": TEXT.className,
      onclick: (event) => event.stopPropagation(), onpointerdown: fill, onfocus: fill,
      onchange: (event) => { this.app.objects.relabel(object.id, Number(event.target.value)); this.app.focus(); },
    }, option({ id: object.category, name: state.nameOf(object.category) }));
  }

  thumbnail(object) {
    const canvas = make("canvas", { class: "cm-thumb", width: 80, height: 80 });
    const source = this.app.stage.levels[0];
    if (source && object.mask.area) paintThumbnail(canvas, source, object.mask, this.app.state.colorOf(object.category));
    return canvas;
  }
}

function aboutObject(object) {
  const score = object.score === null || object.score === undefined ? TEXT.sources[object.source] || object.source : TEXT.iou(object.score);
  return `${score} · ${TEXT.area(object.mask.area)}`;
}

function paintThumbnail(canvas, source, mask, color) {
  const context = canvas.getContext("2d");
  const scale = 68 / Math.max(mask.width, mask.height);
  const left = 40 - (mask.x + mask.width / 2) * scale, top = 40 - (mask.y + mask.height / 2) * scale;
  context.setTransform(scale, 0, 0, scale, left, top);
  const [x, y, side] = [-left / scale, -top / scale, 80 / scale];
  context.drawImage(source, x, y, side, side, x, y, side, side);
  context.globalAlpha = 0.5;
  context.drawImage(mask.image(color), mask.x, mask.y);
}
