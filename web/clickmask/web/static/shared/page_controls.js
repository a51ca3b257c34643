// @ts-check
// What the bars of both pages have: undo, folder, zoom, the tabs of a phone, and the status line.

import { find, icon, iconButton, make, replaceChildren } from "./dom.js";
import { TEXT } from "./strings.js";

export class PageControls {
  constructor(root, app) {
    this.root = root;
    this.app = app;
    this.find = (name) => find(root, `.cm-${name}`);
    const labels = { tools: TEXT.toolbar, right: TEXT.objects };
    for (const [name, words] of Object.entries(labels)) this.find(name).setAttribute("aria-label", words);
    this.swap = this.keyed(make("button", { type: "button", class: "cm-swap", onclick: () => app.swap() }), TEXT.swap, "swap");
    this.undo = this.tool("undo", TEXT.undo, "undo", () => app.history.undo());
    this.redo = this.tool("redo", TEXT.redo, "redo", () => app.history.redo());
    this.find("folder").addEventListener("click", () => app.folderDialog.open());
    this.buildZoom();
  }

  // a button of a bar; command: whose key its title tells, "" for none
  tool(name, title, command, run) {
    return this.keyed(iconButton(name, title, run, { class: "cm-tool" }), title, command);
  }

  keyed(node, title, command) {
    node.dataset.title = node.title = title;
    node.dataset.command = command;
    return node;
  }

  // the keys in the titles, which a person may have changed
  renderKeys() {
    for (const node of /** @type {any} */ (this.root.querySelectorAll("[data-command]"))) {
      const { title, command } = node.dataset;
      const key = command && this.app.keymap ? this.app.keymap.label(command) : "";
      if (node.tagName === "KBD") node.textContent = key;
      else node.title = withKey(title, key);
    }
  }

  // the right end of the top bar, after what the page itself has there
  buildActions(...own) {
    const { app } = this;
    this.find("actions").append(...own,
      this.tool("theme", TEXT.theme, "", () => app.toggleTheme()),
      this.tool("help", TEXT.help, "help", () => app.help()),
      make("button", { type: "button", class: "cm-primary cm-export", title: TEXT.exportLabels, onclick: () => app.showExport() }, icon("export"), make("span", {}, TEXT.exportLabels)));
  }

  buildZoom() {
    const { app } = this;
    const zoom = (name, title, command, run) => this.keyed(iconButton(name, title, run), title, command);
    this.percent = this.keyed(make("button", { type: "button", class: "cm-quiet", onclick: () => app.fit() }), TEXT.fit, "fit");
    this.find("zoom").append(zoom("minus", TEXT.zoomOut, "zoomOut", () => app.zoomBy(1 / 1.4)), this.percent,
      zoom("plus", TEXT.zoomIn, "zoomIn", () => app.zoomBy(1.4)), zoom("fit", TEXT.fit, "fit", () => app.fit()));
  }

  // on a phone the side panels are drawers
  buildTabs(list, listTitle, back, next) {
    const { root, app } = this;
    this.find("left").setAttribute("aria-label", listTitle);
    const button = (name, title, onclick) => make("button", { type: "button", onclick }, icon(name), title);
    const tab = (name, side, title) => button(name, title, () => { root.dataset.drawer = root.dataset.drawer === side ? "" : side; });
    this.find("tabs").append(tab(list, "left", listTitle), button("left", back, () => app.step(-1)),
      button("right", next, () => app.step(1)), tab("list", "right", TEXT.objects));
  }

  renderHistory() {
    this.undo.disabled = !this.app.history.canUndo;
    this.redo.disabled = !this.app.history.canRedo;
  }

  renderSwap() {
    const { swapped } = this.app.state;
    this.swap.textContent = swapped ? `− ${TEXT.negative}` : `+ ${TEXT.positive}`;
    this.swap.dataset.swapped = swapped;
  }

  renderZoom() {
    this.percent.textContent = `${Math.round(this.app.stage.view.scale * 100)}%`;
  }

  renderFolder({ name, folder }) {
    replaceChildren(this.find("folder"), icon("folder"), make("span", {}, name));
    this.find("folder").title = `${folder}\n${TEXT.openFolder}`;
  }

  renderPhase(phase, words) {
    this.find("state").dataset.phase = phase;
    this.find("state").textContent = words;
  }

  // retry: what "try again" does where saving failed; count: how much waits
  renderSaving(phase, message = "", retry = null, count = 0) {
    const node = this.find("saving");
    const words = { saved: TEXT.saved, saving: TEXT.saving, failed: TEXT.notSaved(count) };
    const again = phase === "failed" && retry && make("button", { type: "button", class: "cm-link", onclick: retry }, TEXT.retry);
    replaceChildren(node, make("span", {}, words[phase]), again);
    node.dataset.phase = phase;
    node.title = message;
  }

  renderCursor(text) {
    this.find("cursor").textContent = text;
  }
}

export function withKey(title, key) {
  return key ? `${title}  (${key})` : title;
}
