// Top bar, transport, status line and hints of the video page.

class VideoControls {
  constructor(root, app) {
    this.root = root;
    this.app = app;
    this.find = (name) => root.querySelector(`.cm-${name}`);
    this.buildTop();
    this.buildTransport();
    this.buildZoom();
    this.buildTabs();
  }

  button(name, title, key, run, words) {
    const node = make("button", {
      type: "button", class: words ? "cm-plain" : "cm-tool", title: key ? `${title}  (${key})` : title, "aria-label": title,
      onclick: () => { run(); this.app.focus(); },
    }, icon(name), words);
    node.dataset.do = name;
    return node;
  }

  buildTop() {
    const { app } = this;
    this.swap = make("button", { type: "button", class: "cm-swap", title: "Swap add and remove  (X)", onclick: () => app.swap() });
    this.undo = this.button("undo", TEXT.undo, "Ctrl Z", () => app.undo());
    this.redo = this.button("redo", TEXT.redo, "Ctrl Shift Z", () => app.redo());
    this.find("tools").append(this.swap, make("i"), this.undo, this.redo);
    this.find("actions").append(
      this.button("film", VIDEO.openVideo, "", () => app.chooseVideo()),
      this.button("theme", TEXT.theme, "", () => app.toggleTheme()),
      this.button("help", TEXT.help, "?", () => app.help()),
      make("button", { type: "button", class: "cm-primary cm-export", onclick: () => app.showExport() }, icon("export"), TEXT.exportLabels));
    this.find("folder").addEventListener("click", () => app.chooseFolder());
  }

  buildTransport() {
    const { app } = this;
    this.play = this.button("play", VIDEO.play, "Space", () => app.player.toggle());
    this.place = make("span", { class: "cm-place" });
    this.speed = make("select", {
      class: "cm-speed", title: VIDEO.speed, "aria-label": VIDEO.speed,
      onchange: (event) => { app.player.speed = Number(event.target.value); app.focus(); },
    }, [0.25, 0.5, 1, 2, 4].map((speed) => make("option", { value: speed, selected: speed === 1 }, `${speed}×`)));
    this.backward = this.button("backward", VIDEO.trackBackward, "[", () => app.track("backward"));
    this.forward = this.button("forward", VIDEO.trackForward, "]", () => app.track("forward"));
    this.all = make("button", {
      type: "button", class: "cm-primary cm-track", title: `${VIDEO.trackAllTitle}  (T)`, onclick: () => { app.track("both"); app.focus(); },
    }, icon("track"), VIDEO.trackAll, make("kbd", {}, "T"));
    this.idle = make("div", { class: "cm-idle" }, this.backward, this.all, this.forward);
    this.bar = make("i");
    this.progress = make("span", { class: "cm-done" });
    this.stopButton = make("button", { type: "button", class: "cm-primary cm-stop", onclick: () => { app.stopTracking(); app.focus(); } }, VIDEO.stop, make("kbd", {}, "Esc"));
    this.busy = make("div", { class: "cm-busy", hidden: true },
      this.followed = make("button", { type: "button", class: "cm-plain cm-follow", title: VIDEO.followTitle, onclick: () => { app.follow(!app.state.run.follow); app.focus(); } }, icon("eye"), VIDEO.follow),
      make("div", { class: "cm-meter", role: "progressbar" }, this.bar), this.progress, this.stopButton);
    this.find("transport").append(
      make("div", { class: "cm-steps" },
        this.button("first", VIDEO.first, "Home", () => app.seek(0)), this.button("left", VIDEO.back, "A ←", () => app.step(-1)),
        this.play, this.button("right", VIDEO.next, "D →", () => app.step(1)), this.button("last", VIDEO.last, "End", () => app.seek(Infinity))),
      this.place, this.speed, make("span", { class: "cm-space" }), this.idle, this.busy);
  }

  buildZoom() {
    const { app } = this;
    const quiet = (title, run, ...inside) => make("button", { type: "button", class: "cm-quiet", title, onclick: run }, inside);
    this.percent = quiet(`${TEXT.fit}  (F)`, () => app.fit());
    this.find("zoom").append(quiet("Zoom out  (−)", () => app.zoomBy(1 / 1.4), icon("minus")), this.percent,
      quiet("Zoom in  (+)", () => app.zoomBy(1.4), icon("plus")), quiet(`${TEXT.fit}  (F)`, () => app.fit(), icon("fit")));
  }

  buildTabs() {
    const tab = (name, side, title) => make("button", {
      type: "button", onclick: () => { this.root.dataset.drawer = this.root.dataset.drawer === side ? "" : side; },
    }, icon(name), title);
    const step = (name, title, way) => make("button", { type: "button", onclick: () => this.app.step(way) }, icon(name), title);
    this.find("tabs").append(tab("film", "left", VIDEO.videos), step("left", VIDEO.before, -1), step("right", VIDEO.after, 1), tab("list", "right", TEXT.objects));
  }

  render() {
    const { state, steps } = this.app;
    this.swap.textContent = state.swapped ? `− ${TEXT.negative}` : `+ ${TEXT.positive}`;
    this.swap.dataset.swapped = state.swapped;
    this.undo.disabled = !steps.done.length && steps.askedOlder;
    this.redo.disabled = !steps.undone.length;
    this.find("facts").textContent = state.video ? VIDEO.facts(state.video) : "";
    this.find("time").hidden = !state.video;
    this.find("export").disabled = !state.video;
    this.renderRun();
    this.renderPlace();
    this.renderZoom();
    this.renderHint();
  }

  renderPlace() {
    const { state, player } = this.app;
    if (!state.video) return;
    const { frames, rate } = state.video;
    replaceChildren(this.place, make("b", {}, clock(state.frame / rate)), make("span", {}, VIDEO.time(state.frame, frames)));
    const playing = player.playing ? "yes" : "no";
    if (this.play.dataset.playing === playing) return;
    this.play.dataset.playing = playing;
    replaceChildren(this.play, icon(player.playing ? "pause" : "play"));
    this.play.title = `${player.playing ? VIDEO.pause : VIDEO.play}  (Space)`;
  }

  renderRun() {
    const { run, shownThings } = this.app.state;
    for (const node of this.idle.children) node.disabled = !shownThings.length;
    this.idle.hidden = Boolean(run);
    this.busy.hidden = !run;
    if (!run) return;
    this.followed.setAttribute("aria-pressed", String(run.follow));
    const seconds = run.done > 1 ? (performance.now() - run.began) / 1000 / Math.max(1, run.done - run.doneAtBegin) : 0;
    this.bar.style.width = `${run.total ? 100 * run.done / run.total : 0}%`;
    this.progress.textContent = run.done ? VIDEO.progress(run.done, run.total, seconds) : VIDEO.preparing;
  }

  renderZoom() {
    this.percent.textContent = `${Math.round(this.app.stage.view.scale * 100)}%`;
  }

  renderState() {
    const { state } = this.app;
    const words = { loading: VIDEO.loading, encoding: VIDEO.answering, tracking: VIDEO.tracking, ready: TEXT.ready, failed: TEXT.failed };
    const phase = state.phase === "ready" && state.run ? "tracking" : state.phase;
    this.find("state").dataset.phase = phase === "tracking" ? "encoding" : phase;
    this.find("state").textContent = words[phase];
  }

  renderSaving(phase, message = "") {
    const words = { saved: TEXT.saved, saving: TEXT.saving, failed: TEXT.notSaved };
    this.find("saving").textContent = words[phase];
    this.find("saving").dataset.phase = phase;
    this.find("saving").title = message;
  }

  renderCursor(text) {
    this.find("cursor").textContent = text;
  }

  renderScore(text) {
    this.find("score").textContent = text;
  }

  renderHint() {
    const bar = this.find("candidates");
    const hint = this.app.hint();
    bar.hidden = !hint;
    if (hint) replaceChildren(bar, make("span", {}, hint.text), hint.action && make("button", { type: "button", class: hint.action.strong ? "cm-primary" : "cm-plain", onclick: () => { hint.action.run(); this.app.focus(); } }, hint.action.words, make("kbd", {}, hint.action.key)));
  }

  // what to do where no video is open
  renderBegin() {
    const { app } = this;
    const { state } = app;
    const node = this.find("begin");
    node.hidden = Boolean(state.video) || state.phase === "loading";
    if (node.hidden) return;
    replaceChildren(node, icon("film"), make("h2", {}, VIDEO.startTitle), make("p", {}, VIDEO.startHint),
      make("div", { class: "cm-row" },
        make("button", { type: "button", class: "cm-primary", onclick: () => app.chooseVideo() }, icon("upload"), VIDEO.openVideo),
        make("button", { type: "button", class: "cm-plain", onclick: () => app.chooseFolder() }, icon("folder"), TEXT.openFolder),
        make("button", { type: "button", class: "cm-plain", onclick: () => app.makeSample() }, icon("everything"), VIDEO.makeSample)));
  }
}

function clock(seconds) {
  const minutes = Math.floor(seconds / 60);
  return `${String(minutes).padStart(2, "0")}:${(seconds % 60).toFixed(2).padStart(5, "0")}`;
}
