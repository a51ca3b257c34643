// @ts-check
// Points and boxes in picture pixels. What becomes of a change, each page says in mark(change).

import { clamp, round1 } from "./numbers.js";

export class Marks {
  constructor(page) {
    this.page = page;
  }

  get state() {
    return this.page.state;
  }

  /** @param {{points?: any[], box?: number[] | null, since: number}} _change */
  mark(_change) {}

  isInside([x, y]) {
    const { picture } = this.state;
    return Boolean(picture) && x >= 0 && y >= 0 && x <= picture.width && y <= picture.height;
  }

  // the nearest place in the picture, in tenths of a pixel
  /** @param {number[]} at @returns {number[]} */
  within([x, y]) {
    const { width, height } = this.state.picture;
    return [round1(clamp(x, 0, width)), round1(clamp(y, 0, height))];
  }

  addPoint([x, y], removes, since) {
    if (!this.isInside([x, y])) return;
    const point = [round1(x), round1(y), removes === this.state.swapped];
    this.mark({ points: [...this.state.draft.points, point], since });
  }

  movePoint(index, at, since) {
    const { points } = this.state.draft;
    this.mark({ points: points.map((point, i) => (i === index ? [...this.within(at), point[2]] : point)), since });
  }

  removePoint(index, since) {
    this.mark({ points: this.state.draft.points.filter((_, i) => i !== index), since });
  }

  // the part of a box inside the picture; what is left of less than a pixel is none
  setBox([x0, y0, x1, y1], since) {
    const box = [...this.within([x0, y0]), ...this.within([x1, y1])];
    if (box[2] - box[0] >= 1 && box[3] - box[1] >= 1) this.mark({ box, since });
  }

  removeBox(since) {
    this.mark({ box: null, since });
  }
}
