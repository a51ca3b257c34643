// @ts-check
// The video page: owns the state, the stage, the player and the panels, and ties them together.

import { find, make } from "../shared/dom.js";
import { newDraft } from "../shared/draft.js";
import { showHelp } from "../shared/help.js";
import { Page } from "../shared/page.js";
import { Pointer } from "../shared/pointer.js";
import { slider } from "../shared/slider.js";
import { Stage } from "../shared/stage.js";
import { TEXT, VIDEO, VIDEO_HELP } from "../shared/strings.js";
import { videoCommands } from "./commands.js";
import { VideoControls } from "./controls.js";
import { VideoHistory } from "./history.js";
import { VideoLibrary } from "./library.js";
import { VideoObjects } from "./objects.js";
import { VideoObjectsPanel } from "./objects_panel.js";
import { Player } from "./player.js";
import { VideoPrompts } from "./prompts.js";
import { VideoState } from "./state.js";
import { Timeline } from "./timeline.js";
import { Tracking } from "./tracking.js";
import { VideosPanel } from "./videos_panel.js";

export class VideoApp extends Page {
  constructor(root, server) {
    super(root, server, new VideoState());
    root.classList.add("cm-video");
    this.saving = "saved";
    this.state.opacity = readOpacity(this.state.opacity);
    this.history = new VideoHistory(this);
    this.prompts = new VideoPrompts(this);
    this.objects = new VideoObjects(this);
    this.tracking = new Tracking(this);
    this.library = new VideoLibrary(this);
    this.stage = new Stage(find(root, ".cm-stage"), this.state, () => {});
    this.stage.view.bar = 62;
    this.pointer = new Pointer(this);
    this.player = new Player(this.call, {
      shown: (frame) => this.frameShown(frame),
      moved: () => this.playheadMoved(),
      failed: (failure) => this.frameFailed(failure),
    });
    this.panels = { objects: new VideoObjectsPanel(root, this), videos: new VideosPanel(root, this) };
    this.controls = new VideoControls(root, this);
    this.timeline = new Timeline(this.controls.lanes, this);
    this.buildView();
    this.listen(videoCommands(this), "video");
  }

  get hasUnsaved() {
    return this.prompts.queue.length > 0;
  }

  lastFolder() {
    return localStorage.getItem("clickmask-video-folder") || localStorage.getItem("clickmask-folder");
  }

  saveNow() {} // everything is sent as it is said

  buildView() {
    const opacity = slider(TEXT.opacity, 0, 1, 0.05, this.state.opacity, (value) => {
      this.state.opacity = value;
      localStorage.setItem("clickmask-video-opacity", value);
      this.stage.refresh();
    }, TEXT.percent);
    find(this.root, ".cm-view").append(make("h2", {}, TEXT.view), opacity.node);
  }

  // the page comes back, or steps aside
  enter() {
    if (this.state.folder) this.call("video_list", { folder: this.state.folder }).then((answer) => { this.state.videos = answer.videos; this.library.renderFolder(answer); }, () => {});
    this.timeline.changed();
  }

  leave() {
    this.player.pause();
    this.root.remove();
  }

  // set by whoever shows both pages
  openPhotos(_folder) {}

  openFolder(path) {
    return this.library.openFolder(path);
  }

  showExport() {
    this.library.showExport();
  }

  takeFiles(files) {
    return this.library.takeFiles(files);
  }

  help() {
    showHelp(this, VIDEO_HELP);
  }

  setSaving(phase, message = "") {
    this.saving = phase;
    this.controls.renderSaving(phase, message);
  }

  // the playhead

  seek(frame) {
    if (!this.state.video) return;
    this.player.pause();
    this.tracking.follow(false);
    this.player.show(frame);
  }

  step(by) {
    this.seek(this.player.frame + by);
  }

  // to the next frame worth a look: said something there, or the object is lost from there on
  jump(way) {
    const { state } = this;
    if (!state.video) return;
    const lanes = state.selected === null ? [...state.lanes.values()] : [state.lanes.get(state.selected)];
    const worth = (at) => lanes.some(({ letters }) => "pn".includes(letters[at])
      || ("lL".includes(letters[at]) && !"lL".includes(letters[at - 1] || ".")));
    for (let at = state.frame + way; at >= 0 && at < state.video.frames; at += way) if (worth(at)) return this.seek(at);
  }

  playheadMoved() {
    const { state, player } = this;
    state.frame = player.frame;
    if (!state.video) return;
    this.controls.renderPlace();
    this.timeline.moved();
    this.library.keepPlace();
  }

  frameShown(frame) {
    const { state, stage } = this;
    const bitmap = this.player.frames.picture(frame);
    if (!state.picture) {
      state.picture = { width: state.video.width, height: state.video.height };
      stage.levels = [bitmap];
      stage.extent = state.picture;
      stage.fit();
      this.zoomed();
    } else {
      stage.replace(bitmap);
    }
    if (state.phase === "loading") this.setPhase("ready");
    this.showMasks();
  }

  // masks and marks of the frame that is shown
  showMasks() {
    const { state } = this;
    const masks = this.player.frames.masks.get(this.player.painted) || new Map();
    state.objects = state.shownThings.filter((thing) => masks.has(thing.id)).map((thing) => ({ id: thing.id, category: thing.id, mask: masks.get(thing.id) }));
    const said = state.selected === null ? null : state.promptAt(state.selected, state.frame);
    state.draft = newDraft(said ? { points: said.points, box: said.box } : {});
    this.stage.refresh();
    this.panels.objects.update();
    this.controls.renderHint();
    this.controls.renderScore(state.selected === null ? "" : this.aboutFrame(state.selected, state.frame));
  }

  frameFailed(failure) {
    this.setPhase("failed");
    this.fail(failure);
    if (failure.kind === "Offline") setTimeout(() => { if (this.state.video) { this.setPhase("ready"); this.player.frames.pump(); } }, 2000);
  }

  objectsChanged() {
    if (this.state.video) this.library.keepPlace();
    this.panels.objects.render();
    this.panels.videos.mark();
    this.controls.render();
    this.timeline.changed();
    if (this.player.isShown) this.showMasks();
    else this.stage.refresh();
  }

  aboutFrame(object, frame) {
    const { state } = this;
    const letter = state.letterAt(object, frame);
    const lane = state.lanes.get(object);
    const sure = lane && "sSp".includes(letter) ? ` · ${VIDEO.sure(Math.round(lane.confidence[frame] / 2.55))}` : "";
    return VIDEO.states[letter] + sure;
  }

  // what to do next, in a word
  hint() {
    const { state } = this;
    if (!state.video || this.player.playing) return null;
    if (!state.shownThings.length) return { text: VIDEO.hintClick };
    if (state.selected === null) return { text: VIDEO.hintNew };
    if (state.run) return null;
    const track = { words: VIDEO.trackAll, key: "T", strong: true, run: () => this.tracking.begin("both") };
    const lanes = state.shownThings.map((thing) => state.lanes.get(thing.id)).filter(Boolean);
    if (lanes.some(({ letters }) => letters.includes("S") || letters.includes("L"))) return { text: VIDEO.hintOutdated, action: track };
    if (lanes.some(({ letters }) => letters.includes(".") && letters.includes("p"))) return { text: VIDEO.hintTrack, action: track };
    if (state.letterAt(state.selected, state.frame) !== "l") return null;
    return { text: VIDEO.hintLost, action: { words: VIDEO.notHere, key: "M", run: () => this.prompts.markAbsent() } };
  }

  // gestures and keys

  escape() {
    if (this.state.run) this.tracking.stop();
    else this.prompts.clearHere();
  }

  spaceDown(isRepeated = false) {
    if (isRepeated) return;
    super.spaceDown();
    this.spaceUsed = false;
  }

  // space alone plays; space with a drag has moved the picture
  spaceUp() {
    if (!this.gestures.space) return;
    super.spaceUp();
    if (!this.spaceUsed) this.player.toggle();
  }

  zoomed() {
    super.zoomed();
    this.spaceUsed = true;
  }

  toggleTheme() {
    super.toggleTheme();
    this.timeline.changed();
  }
}

function readOpacity(otherwise) {
  const kept = Number(localStorage.getItem("clickmask-video-opacity") ?? NaN);
  return kept >= 0 && kept <= 1 ? kept : otherwise;
}
