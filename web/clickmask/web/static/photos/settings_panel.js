// @ts-check
// The view section: opacity, choice rule, preview, brush size, and the outline's detail.

import { make } from "../shared/dom.js";
import { slider } from "../shared/slider.js";
import { TEXT } from "../shared/strings.js";

export class SettingsPanel {
  constructor(root, app) {
    this.app = app;
    this.element = root.querySelector(".cm-view");
    const { state } = app;
    const set = (key) => (value) => { state[key] = value; app.settingChanged(key); };
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
      check("hover", TEXT.preview), check("zoom", TEXT.zoom), check("acceptOnLeave", TEXT.acceptOnLeave));
    this.render();
  }

  rule(rule) {
    const node = make("button", { type: "button", role: "radio", onclick: () => this.app.prompts.useRule(rule) }, TEXT.rules[rule]);
    node.dataset.rule = rule;
    return node;
  }

  render() {
    const { state } = this.app;
    for (const node of /** @type {any} */ (this.rules.children)) node.setAttribute("aria-checked", String(node.dataset.rule === state.rule));
    this.brush.set(state.brushRadius);
    this.brush.node.hidden = !["brush", "eraser"].includes(state.tool);
    this.detail.node.hidden = this.outline.hidden = state.tool !== "outline";
  }

  showOutline(text) {
    this.outline.textContent = text;
  }
}
