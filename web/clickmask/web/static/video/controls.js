// @ts-check
// Top bar, transport, status line and hints of the video page.

import { icon, make, meter, replaceChildren } from "../shared/dom.js";
import { PageControls, withKey } from "../shared/page_controls.js";
import { TEXT, VIDEO } from "../shared/strings.js";

export class VideoControls extends PageControls {
  constructor(root, app) {
    super(root, app);
    this.find("tools").append(this.swap, make("i"), this.undo, this.redo);
    this.buildActions(this.tool("film", VIDEO.openVideo, "", () => app.library.choose()));
    this.buildTabs("film", VIDEO.videos, VIDEO.before, VIDEO.after);
    this.begin = make("div", { class: "cm-begin" });
    this.find("overlay").after(this.begin);
    this.lanes = make("div", { class: "cm-lanes" });
    this.time = make("section", { class: "cm-time", "aria-label": VIDEO.timeline }, this.transport(), this.lanes);
    this.find("stage").after(this.time);
  }

  transport() {
    const { app } = this;
    this.play = this.tool("play", VIDEO.play, "play", () => app.player.toggle());
    this.place = make("span", { class: "cm-place" });
    const speeds = make("select", {
      class: "cm-speed", title: VIDEO.speed, "aria-label": VIDEO.speed,
      onchange: (event) => { app.player.speed = Number(event.target.value); app.focus(); },
    }, [0.25, 0.5, 1, 2, 4].map((speed) => make("option", { value: speed, selected: speed === 1 }, `${speed}×`)));
    const steps = make("div", { class: "cm-steps" },
      this.tool("first", VIDEO.first, "firstFrame", () => app.seek(0)), this.tool("left", VIDEO.back, "previousFrame", () => app.step(-1)),
      this.play, this.tool("right", VIDEO.next, "nextFrame", () => app.step(1)), this.tool("last", VIDEO.last, "lastFrame", () => app.seek(Infinity)));
    return make("div", { class: "cm-transport" }, steps, this.place, speeds, make("span", { class: "cm-space" }), this.idleBar(), this.busyBar());
  }

  // what begins a run
  idleBar() {
    const { app } = this;
    this.idle = make("div", { class: "cm-idle" },
      this.tool("backward", VIDEO.trackBackward, "trackBackward", () => app.tracking.begin("backward")),
      make("button", { type: "button", class: "cm-primary cm-track", title: withKey(VIDEO.trackAllTitle, "T"), onclick: () => app.tracking.begin("both") },
        icon("track"), VIDEO.trackAll, make("kbd", {}, "T")),
      this.tool("forward", VIDEO.trackForward, "trackForward", () => app.tracking.begin("forward")));
    return this.idle;
  }

  // how far a run is, and what ends it
  busyBar() {
    const { app } = this;
    this.bar = meter(VIDEO.tracking);
    this.progress = make("span", { class: "cm-done" });
    this.followed = make("button", {
      type: "button", class: "cm-plain cm-follow", title: VIDEO.followTitle, onclick: () => app.tracking.follow(!app.state.run.follow),
    }, icon("eye"), VIDEO.follow);
    this.stop = make("button", { type: "button", class: "cm-primary cm-stop", onclick: () => app.tracking.stop() }, TEXT.stop, make("kbd", {}, "Esc"));
    this.busy = make("div", { class: "cm-busy", hidden: true },
      this.followed, this.bar.node, this.progress, this.stop);
    return this.busy;
  }

  render() {
    const { state } = this.app;
    this.renderSwap();
    this.renderHistory();
    this.find("facts").textContent = state.video ? VIDEO.facts(state.video) : "";
    this.time.hidden = !state.video;
    (/** @type {HTMLButtonElement} */ (this.find("export"))).disabled = !state.video;
    this.renderState();
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
    this.keyed(this.play, player.playing ? VIDEO.pause : VIDEO.play, "play");
    this.renderKeys();
  }

  renderRun() {
    const { run, shownThings } = this.app.state;
    for (const node of /** @type {any} */ (this.idle.children)) node.disabled = !shownThings.length;
    this.idle.hidden = Boolean(run);
    this.busy.hidden = !run;
    if (!run) return;
    this.followed.setAttribute("aria-pressed", String(run.follow));
    this.stop.disabled = run.stopping;
    this.bar.set(run.done, run.total);
    if (run.stopping) this.progress.textContent = VIDEO.stopping;
    else this.progress.textContent = run.done ? VIDEO.progress(run.done, run.total, run.pace) : VIDEO.preparing;
  }

  renderState() {
    const { state } = this.app;
    const tracking = state.phase === "ready" && state.run;
    this.renderPhase(tracking ? "encoding" : state.phase, tracking ? VIDEO.tracking : VIDEO.phases[state.phase]);
    this.renderBegin();
  }

  renderScore(text) {
    this.find("score").textContent = text;
  }

  renderHint() {
    const bar = this.find("candidates");
    const hint = this.app.hint();
    bar.hidden = !hint;
    if (!hint) return;
    const { text, action } = hint;
    const button = action && make("button", { type: "button", class: action.strong ? "cm-primary" : "cm-plain", onclick: action.run }, action.words, make("kbd", {}, action.key));
    replaceChildren(bar, make("span", {}, text), button);
  }

  // what to do where no video is open
  renderBegin() {
    const { app } = this;
    this.begin.hidden = Boolean(app.state.video) || app.state.phase === "loading";
    if (this.begin.hidden) return;
    replaceChildren(this.begin, icon("film"), make("h2", {}, VIDEO.startTitle), make("p", {}, VIDEO.startHint),
      make("div", { class: "cm-row" },
        make("button", { type: "button", class: "cm-primary", onclick: () => app.library.choose() }, icon("upload"), VIDEO.openVideo),
        make("button", { type: "button", class: "cm-plain", onclick: () => app.folderDialog.open() }, icon("folder"), TEXT.openFolder),
        make("button", { type: "button", class: "cm-plain", onclick: () => app.library.makeSample() }, icon("everything"), VIDEO.makeSample)));
  }
}

function clock(seconds) {
  const minutes = Math.floor(seconds / 60);
  return `${String(minutes).padStart(2, "0")}:${(seconds % 60).toFixed(2).padStart(5, "0")}`;
}
