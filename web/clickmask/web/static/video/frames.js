// @ts-check
// Pictures and masks of a video's frames: fetched when wanted, a few ahead, the last ones kept.

import { fetchBitmap } from "../shared/bitmaps.js";
import { Mask } from "../shared/mask.js";
import { RequestQueue } from "../shared/request_queue.js";

const BITMAP_BYTES = 256 * 2 ** 20;
const LONGEST_PX = 1920; // of a picture sent for a frame
const AHEAD = { playing: 24, resting: 3 };
const BATCH = 8;

export class VideoFrames {
  // loaded(): something that was asked for is there; failed(failure)
  constructor(call, loaded, failed) {
    this.call = call;
    this.loaded = loaded;
    this.requests = new RequestQueue((q) => this.fetch(q), () => this.answered(), (q, failure) => this.unanswered(q, failure));
    this.failed = failed;
    this.open(null);
  }

  open(video) {
    this.requests.forget();
    for (const bitmap of (this.pictures || new Map()).values()) this.discard(bitmap);
    this.video = video;
    this.pictures = new Map(); // frame -> bitmap, oldest use first
    this.masks = new Map(); // frame -> object -> Mask
    this.versions = new Map(); // frame -> how often its masks changed
    this.wanted = null;
    if (!video) return;
    const share = Math.min(1, LONGEST_PX / Math.max(video.width, video.height));
    this.most = Math.max(16, Math.floor(BITMAP_BYTES / (4 * share * share * video.width * video.height)));
  }

  has(frame) {
    return this.pictures.has(frame) && this.masks.has(frame);
  }

  // the bitmap to put on the screen
  picture(frame) {
    const bitmap = this.pictures.get(frame);
    this.pictures.delete(frame);
    this.pictures.set(frame, bitmap);
    this.onScreen = bitmap;
    return bitmap;
  }

  // the masks of a frame are not what they were
  touch(frame) {
    this.masks.delete(frame);
    this.versions.set(frame, (this.versions.get(frame) || 0) + 1);
  }

  touchAll() {
    const onTheWay = this.requests.busy ? framesOf(this.requests.current) : [];
    for (const frame of [...this.masks.keys(), ...onTheWay]) this.touch(frame);
  }

  setMask(frame, object, mask) {
    const masks = this.masks.get(frame);
    if (!masks) return;
    if (mask) masks.set(object, mask);
    else masks.delete(object);
    this.versions.set(frame, (this.versions.get(frame) || 0) + 1);
  }

  want(frame, way, playing) {
    this.wanted = { frame, way: way < 0 ? -1 : 1, playing };
    this.pump();
  }

  // asks for the nearest frames that are missing, on the way that is gone
  pump() {
    if (!this.video || !this.wanted) return;
    const { frame, way, playing } = this.wanted;
    const reach = Math.min(playing ? AHEAD.playing : AHEAD.resting, this.most >> 1);
    for (let i = 0; i <= reach; i++) {
      const at = frame + i * way;
      if (at < 0 || at >= this.video.frames) return;
      if (!this.has(at)) return this.requests.put(this.question(at, way, playing, i));
    }
  }

  question(at, way, playing, distance) {
    const most = playing || distance ? BATCH : 1; // the frame a person waits for comes alone
    let count = 1;
    while (count < most && at + count * way >= 0 && at + count * way < this.video.frames && !this.has(at + count * way)) count++;
    return { video: this.video, start: way > 0 ? at : at - count + 1, count };
  }

  async fetch({ video, start, count }) {
    const range = framesOf({ start, count });
    const versions = range.map((frame) => this.versions.get(frame));
    const asked = { video: video.video, start, count };
    const missing = range.some((frame) => !this.pictures.has(frame));
    const [pictures, { masks }] = await Promise.all([
      missing ? this.call("video_frames", { ...asked, longest: LONGEST_PX }) : null, this.call("video_masks", asked)]);
    const bitmaps = pictures ? await Promise.all(pictures.urls.map(fetchBitmap)) : [];
    if (this.video !== video) return;
    bitmaps.forEach((bitmap, i) => this.keep(start + i, bitmap));
    range.forEach((frame, i) => {
      if (this.versions.get(frame) !== versions[i]) return; // changed meanwhile: it is asked for again
      const found = new Map();
      for (const [object, runs] of Object.entries(masks[frame] || {})) found.set(Number(object), Mask.fromText(runs));
      this.masks.set(frame, found);
    });
  }

  keep(frame, bitmap) {
    if (this.pictures.has(frame)) this.discard(this.pictures.get(frame));
    this.pictures.delete(frame);
    this.pictures.set(frame, bitmap);
    for (const old of this.pictures.keys()) {
      if (this.pictures.size <= this.most) break;
      if (this.wanted && old === this.wanted.frame) continue;
      this.discard(this.pictures.get(old));
      this.pictures.delete(old);
      this.masks.delete(old);
    }
  }

  // gives the memory back at once, unless the bitmap is on the screen
  discard(bitmap) {
    if (bitmap !== this.onScreen) bitmap.close();
  }

  answered() {
    this.loaded();
    setTimeout(() => this.pump());
  }

  unanswered({ video }, failure) {
    if (this.video === video) this.failed(failure);
  }
}

function framesOf({ start, count }) {
  return Array.from({ length: count }, (_, i) => start + i);
}
