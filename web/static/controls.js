// Toolbar, candidate bar, view settings and status line.

class Controls {
  constructor(root, app) {
    this.app = app;
    this.root = root;
    this.find = (name) => root.querySelector(`.cm-${name}`);
    this.buildTop();
    this.buildZoom();
    this.buildTabs();
  }

  button(name, title, key, run) {
    const node = make("button", { type: "button", class: "cm-tool", title: key ? `${title}  (${key})` : title, "aria-label": title, onclick: run }, icon(name));
    node.dataset.do = name;
    return node;
  }

  buildTop() {
    const { app } = this;
    const tools = [["click", "C"], ["select", "V"], ["brush", "B"], ["eraser", "E"], ["outline", "P"]];
    this.tools = new Map(tools.map(([name, key]) => [name, this.button(name, TEXT.tools[name], key, () => app.useTool(name))]));
    this.swap = make("button", { type: "button", class: "cm-swap", title: "Swap add and remove  (X)", onclick: () => app.swap() });
    this.undo = this.button("undo", TEXT.undo, "Ctrl Z", () => app.undo());
    this.redo = this.button("redo", TEXT.redo, "Ctrl Shift Z", () => app.redo());
    this.find("tools").append(...this.tools.values(), this.swap, make("i"), this.undo, this.redo, make("i"),
      this.button("everything", TEXT.everything, "G", () => app.segmentEverything()));
    this.find("actions").append(
      this.button("upload", TEXT.upload, "", () => app.choosePictures()),
      this.button("import", TEXT.importLabels, "", () => app.chooseLabels()),
      this.button("theme", TEXT.theme, "", () => app.toggleTheme()),
      this.button("help", TEXT.help, "?", () => app.dialogs.help()),
      make("button", { type: "button", class: "cm-primary cm-export", onclick: () => app.showExport() }, icon("export"), make("span", {}, TEXT.exportLabels)));
    this.find("folder").addEventListener("click", () => app.chooseFolder());
  }

  buildZoom() {
    const { app } = this;
    this.percent = make("button", { type: "button", class: "cm-quiet", title: `${TEXT.fit}  (F)`, onclick: () => app.fit() });
    this.find("zoom").append(
      make("button", { type: "button", class: "cm-quiet", title: "Zoom out  (−)", onclick: () => app.zoomBy(1 / 1.4) }, icon("minus")),
      this.percent,
      make("button", { type: "button", class: "cm-quiet", title: "Zoom in  (+)", onclick: () => app.zoomBy(1.4) }, icon("plus")),
      make("button", { type: "button", class: "cm-quiet", title: `${TEXT.fit}  (F)`, onclick: () => app.fit() }, icon("fit")));
  }

  // on a phone the side panels are drawers
  buildTabs() {
    const tab = (name, side, title) => make("button", {
      type: "button", onclick: () => { this.root.dataset.drawer = this.root.dataset.drawer === side ? "" : side; },
    }, icon(name), title);
    const step = (name, title, way) => make("button", { type: "button", onclick: () => this.app.step(way) }, icon(name), title);
    this.find("tabs").append(tab("images", "left", TEXT.images), step("left", "Back", -1), step("right", "Next", 1), tab("list", "right", TEXT.objects));
  }

  render() {
    const { state, steps } = this.app;
    for (const [name, node] of this.tools) node.setAttribute("aria-pressed", String(state.tool === name));
    this.swap.textContent = state.swapped ? `− ${TEXT.negative}` : `+ ${TEXT.positive}`;
    this.swap.dataset.swapped = state.swapped;
    this.undo.disabled = !steps.done.length;
    this.redo.disabled = !steps.undone.length;
    this.root.dataset.tool = state.tool;
    this.renderState();
    this.renderZoom();
    this.renderCandidates();
    this.renderScore();
  }

  renderZoom() {
    this.percent.textContent = `${Math.round(this.app.stage.view.scale * 100)}%`;
  }

  renderFolder(folder) {
    replaceChildren(this.find("folder"), icon("folder"), make("span", {}, folder.name));
    this.find("folder").title = `${folder.folder}\n${TEXT.openFolder}`;
  }

  renderState() {
    const { state } = this.app;
    const words = { loading: TEXT.loadingPicture, encoding: TEXT.encoding, ready: TEXT.ready, failed: TEXT.failed };
    this.find("state").dataset.phase = state.phase;
    this.find("state").textContent = words[state.phase];
    const { picture } = state;
    this.find("facts").textContent = picture ? `${picture.name} · ${picture.width} × ${picture.height}` : "";
    const note = !picture && state.phase === "ready" ? TEXT.dropHere : state.problem || "";
    this.find("note").textContent = note;
    this.find("note").hidden = !note;
  }

  renderBusy(text) {
    this.find("state").dataset.phase = "encoding";
    this.find("state").textContent = text;
  }

  renderSaving(phase, message) {
    const node = this.find("saving");
    const words = { saved: TEXT.saved, saving: TEXT.saving, failed: TEXT.notSaved };
    replaceChildren(node, make("span", {}, words[phase]),
      phase === "failed" ? make("button", { type: "button", class: "cm-link", onclick: () => this.app.saving.run() }, TEXT.retry) : null);
    node.dataset.phase = phase;
    node.title = message;
  }

  renderCursor(text) {
    this.find("cursor").textContent = text;
  }

  renderScore() {
    const { draft } = this.app.state;
    const answer = shownAnswer(draft);
    const parts = [];
    if (answer && answer.iou) {
      parts.push(`IoU ${answer.iou[answer.chosen].toFixed(2)}`, `stability ${answer.stability[answer.chosen].toFixed(2)}`);
      if (answer.ms) parts.push(`${Math.round(answer.ms)} ms`);
    }
    if (answer) parts.push(`${answer.mask.area.toLocaleString("en")} px`);
    this.find("score").textContent = parts.join(" · ");
  }

  renderCandidates() {
    const { draft, proposals } = this.app.state;
    const bar = this.find("candidates");
    const answer = shownAnswer(draft);
    bar.hidden = !answer && !proposals.length;
    if (bar.hidden) return;
    const clear = make("button", { type: "button", class: "cm-plain", onclick: () => this.app.clear() }, TEXT.clear, make("kbd", {}, "Esc"));
    if (proposals.length) {
      const all = make("button", { type: "button", class: "cm-primary", onclick: () => this.app.acceptAll() }, TEXT.acceptAll);
      return replaceChildren(bar, make("span", {}, TEXT.everythingDone(proposals.length)), clear, all);
    }
    const rows = answer.iou ? answer.iou.map((iou, row) => this.candidate(answer, row)) : [];
    const accept = make("button", { type: "button", class: "cm-primary", onclick: () => this.app.accept() }, TEXT.accept, make("kbd", {}, "↵"));
    const words = rows.length ? make("span", { class: "cm-candidate cm-words" }, make("b", {}, " "), make("span", {}, TEXT.scores[0]), make("small", {}, TEXT.scores[1])) : null;
    replaceChildren(bar, words, rows, clear, accept);
  }

  candidate(answer, row) {
    const title = `Predicted IoU ${answer.iou[row].toFixed(3)}, stability ${answer.stability[row].toFixed(3)}`;
    return make("button", {
      type: "button", class: "cm-candidate", title, "aria-pressed": String(row === answer.chosen), onclick: () => this.app.chooseRow(row),
    }, make("b", {}, TEXT.rows[row]), make("span", {}, answer.iou[row].toFixed(2)), make("small", {}, answer.stability[row].toFixed(2)));
  }
}
