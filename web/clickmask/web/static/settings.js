// The view section: opacity, choice rule, preview, brush size, and the outline's detail.

class SettingsPanel {
  constructor(root, app) {
    this.app = app;
    this.element = root.querySelector(".cm-view");
    const { state } = app;
    const set = (key) => (value) => { state[key] = value; keepSettings(state); app.settingChanged(key); };
    this.opacity = slider(TEXT.opacity, 0, 1, 0.05, state.opacity, set("opacity"), TEXT.percent);
    this.brush = slider(TEXT.brushSize, 1, 200, 1, state.brushRadius, set("brushRadius"), TEXT.brushWidth);
    this.detail = slider(TEXT.detail, 0.9, 1, 0.005, state.minIou, set("minIou"), TEXT.detailWords);
    this.outline = make("p", { class: "cm-outline" });
    this.rules = make("div", { class: "cm-filters", role: "radiogroup", "aria-label": TEXT.choice }, Object.keys(TEXT.rules).map((rule) => this.rule(rule)));
    const check = (key, title) => make("label", { class: "cm-check" },
      make("input", { type: "checkbox", checked: state[key], onchange: (event) => set(key)(event.target.checked) }), title);
    this.element.append(make("h2", {}, TEXT.view),
      make("div", { class: "cm-field" }, make("span", {}, TEXT.choice), this.rules),
      this.opacity.node, this.brush.node, this.detail.node, this.outline,
      check("hover", TEXT.preview), check("zoom", TEXT.zoom));
    this.render();
  }

  rule(rule) {
    const node = make("button", { type: "button", role: "radio", onclick: () => this.app.useRule(rule) }, TEXT.rules[rule]);
    node.dataset.rule = rule;
    return node;
  }

  render() {
    const { state } = this.app;
    for (const node of this.rules.children) node.setAttribute("aria-checked", String(node.dataset.rule === state.rule));
    this.brush.set(state.brushRadius);
    this.brush.node.hidden = !["brush", "eraser"].includes(state.tool);
    this.detail.node.hidden = this.outline.hidden = state.tool !== "outline";
  }

  showOutline(text) {
    this.outline.textContent = text;
  }
}

function slider(title, min, max, step, value, changed, words) {
  const output = make("output", {}, words(value));
  const input = make("input", { type: "range", min, max, step, value, "aria-label": title });
  input.addEventListener("input", () => { output.textContent = words(Number(input.value)); changed(Number(input.value)); });
  const set = (next) => { input.value = next; output.textContent = words(next); };
  return { node: make("label", { class: "cm-slider" }, make("span", {}, title), output, input), set };
}
