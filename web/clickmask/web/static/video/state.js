// @ts-check
// What the video page knows; the stage reads it like the state of photos.

import { newDraft } from "../shared/draft.js";

export class VideoState {
  constructor() {
    this.folder = null;
    this.videos = [];
    this.video = null; // what the server says about the open one
    this.picture = null; // {width, height} once a frame is shown: then clicks count
    this.frame = 0;
    this.things = []; // {id, name, color, removed}
    this.prompts = new Map(); // object -> frame -> {points, box, absent}
    this.lanes = new Map(); // object -> {letters: [], confidence: Uint8Array}
    this.revision = 0;
    this.objects = []; // masks on the frame that is shown: {id, category, mask}
    this.hiddenObjects = new Set();
    this.alsoSelected = new Set();
    this.selected = null;
    this.draft = newDraft(); // what was said about the selected object on this frame
    this.proposals = [];
    this.preview = null;
    this.tool = "click";
    this.swapped = false;
    this.masksVisible = true;
    this.opacity = 0.45;
    this.phase = "loading";
    this.run = null; // see VideoTracking.watchRun
  }

  // what the server knows about objects, prompts and timeline
  take({ revision, objects, prompts, lanes }) {
    const byNumber = (entries) => new Map(Object.entries(entries).map(([key, value]) => [Number(key), value]));
    this.revision = revision;
    this.things = objects;
    this.prompts = new Map([...byNumber(prompts)].map(([object, frames]) => [object, byNumber(frames)]));
    this.lanes = new Map([...byNumber(lanes)].map(([object, lane]) => [object, unpackedLane(lane)]));
    if (!this.thing(this.selected)) this.selected = null;
  }

  get shownThings() {
    return this.things.filter((thing) => !thing.removed);
  }

  thing(id) {
    return this.shownThings.find((thing) => thing.id === id) || null;
  }

  // a number no object ever had
  get freeId() {
    return Math.max(0, ...this.things.map((thing) => thing.id)) + 1;
  }

  promptAt(object, frame) {
    const frames = this.prompts.get(object);
    return (frames && frames.get(frame)) || null;
  }

  setPrompt(object, frame, prompt) {
    if (!this.prompts.has(object)) this.prompts.set(object, new Map());
    if (prompt) this.prompts.get(object).set(frame, prompt);
    else this.prompts.get(object).delete(frame);
  }

  letterAt(object, frame) {
    const lane = this.lanes.get(object);
    return lane ? lane.letters[frame] : ".";
  }

  colorOf(id) {
    const thing = this.things.find((one) => one.id === id);
    return thing ? thing.color : "#9ca3af";
  }

  color() {
    return this.colorOf(this.selected);
  }

  draftColor() {
    return this.color();
  }
}

export function unpackedLane({ letters, confidence }) {
  return { letters: [...letters], confidence: Uint8Array.from(atob(confidence), (c) => c.charCodeAt(0)) };
}

export function emptyLane(frames) {
  return { letters: Array(frames).fill("."), confidence: new Uint8Array(frames) };
}
