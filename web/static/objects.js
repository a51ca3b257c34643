// The list of objects on the picture.

class ObjectsPanel {
  constructor(root, app) {
    this.app = app;
    this.element = root.querySelector(".cm-objects");
    this.icons = new Map();
  }

  render() {
    const { state } = this.app;
    const rows = state.objects.map((object) => this.row(object));
    replaceChildren(this.element,
      make("h2", {}, TEXT.objects, make("span", { class: "cm-count" }, String(state.objects.length || ""))),
      make("div", { class: "cm-list", role: "list", "aria-label": TEXT.objects }, rows.length ? rows.reverse() : make("p", { class: "cm-empty" }, TEXT.noObjects)));
    for (const id of this.icons.keys()) if (!state.objects.some((object) => object.id === id)) this.icons.delete(id);
  }

  row(object) {
    const { state } = this.app;
    const hidden = state.hiddenObjects.has(object.id);
    const action = (name, title, run) => iconButton(name, title, (event) => { event.stopPropagation(); run(); });
    const row = make("div", {
      class: "cm-item", role: "listitem", tabIndex: -1, "aria-current": String(object.id === state.selected),
      onclick: () => this.app.select(object.id), ondblclick: () => this.app.showObject(object),
    },
    this.thumbnail(object),
    make("span", { class: "cm-name" }, this.choice(object), make("small", {}, aboutObject(object))),
    make("span", { class: "cm-acts" },
      action("pencil", TEXT.refine, () => this.app.refine(object)),
      action(hidden ? "hidden" : "eye", hidden ? TEXT.show : TEXT.hide, () => this.app.toggleObject(object.id)),
      action("bin", TEXT.remove, () => this.app.removeObject(object.id))));
    row.dataset.object = object.id;
    row.dataset.hidden = hidden;
    return row;
  }

  choice(object) {
    const { state } = this.app;
    const options = state.categories.map((one) => make("option", { value: one.id, selected: one.id === object.category }, one.name));
    return make("select", {
      class: "cm-class", style: `--dot:${state.colorOf(object.category)}`, "aria-label": TEXT.className,
      onclick: (event) => event.stopPropagation(),
      onchange: (event) => { this.app.relabel(object.id, Number(event.target.value)); this.app.focus(); },
    }, options);
  }

  thumbnail(object) {
    const color = this.app.state.colorOf(object.category);
    const kept = this.icons.get(object.id);
    if (kept && kept.mask === object.mask && kept.color === color) return kept.canvas;
    const canvas = make("canvas", { class: "cm-thumb", width: 80, height: 80 });
    const source = this.app.stage.levels[0];
    if (source && object.mask.area) {
      paintThumbnail(canvas, source, object.mask, color);
      this.icons.set(object.id, { canvas, mask: object.mask, color });
    }
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
