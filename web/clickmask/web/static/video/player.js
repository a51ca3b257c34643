// @ts-check
// The playhead: which frame is shown, and playing. Every frame is shown; a slow machine plays slowly.

import { VideoFrames } from "./frames.js";

export class Player {
  // shown(frame): a frame with its masks is there to be painted; moved(): the playhead went
  constructor(call, { shown, moved, failed }) {
    this.frames = new VideoFrames(call, () => this.loaded(), (failure) => { this.pause(); failed(failure); });
    this.shown = shown;
    this.moved = moved;
    this.frame = 0;
    this.way = 1;
    this.speed = 1;
    this.playing = false;
  }

  open(video, frame) {
    this.pause();
    this.video = video;
    this.frames.open(video);
    this.frame = frame;
    this.painted = null;
    if (video) this.show(frame);
  }

  show(frame) {
    const to = Math.min(this.video.frames - 1, Math.max(0, Math.round(frame)));
    if (to !== this.frame) this.way = to < this.frame ? -1 : 1;
    this.frame = to;
    this.moved();
    this.frames.want(to, this.way, this.playing);
    this.loaded();
  }

  // the masks of the frame may have changed
  refresh() {
    this.painted = null;
    this.frames.pump();
    this.loaded();
  }

  get isShown() {
    return this.painted === this.frame;
  }

  loaded() {
    if (this.painted === this.frame || !this.frames.has(this.frame)) return;
    this.painted = this.frame;
    this.shown(this.frame);
  }

  toggle() {
    if (this.playing) this.pause();
    else this.play();
  }

  play() {
    if (!this.video || this.video.frames < 2) return;
    if (this.frame >= this.video.frames - 1) this.show(0);
    this.way = 1;
    this.playing = true;
    this.due = performance.now() + this.pace;
    this.frames.want(this.frame, 1, true);
    this.moved();
    requestAnimationFrame(() => this.tick());
  }

  pause() {
    if (!this.playing) return;
    this.playing = false;
    this.moved();
  }

  get pace() {
    return 1000 / (this.video.rate * this.speed);
  }

  tick() {
    if (!this.playing) return;
    const now = performance.now();
    const next = this.frame + 1;
    if (next >= this.video.frames) return this.pause();
    if (now >= this.due && this.isShown && this.frames.has(next)) {
      this.due = Math.max(this.due + this.pace, now - this.pace);
      this.show(next);
    }
    requestAnimationFrame(() => this.tick());
  }
}
