// @ts-check
// A polygon or lasso drawn by hand: clicks set corners, a drag draws, the inside joins the draft or leaves it.

import { TEXT } from "../shared/strings.js";

const CLOSING_CORNERS = 3;

export class Polygon {
  /** @param {import("./app.js").PhotoApp} page */
  constructor(page) {
    this.page = page;
    this.corners = [];
    this.removes = false;
  }

  get isOpen() {
    return this.corners.length > 0;
  }

  /** @returns {import("../shared/pointer.js").Drag} */
  press(at, event, isNear) {
    if (!this.isOpen) this.removes = (event.button === 2 || event.shiftKey) !== this.page.state.swapped;
    const before = this.corners, start = this.page.prompts.within(at);
    const closes = before.length >= CLOSING_CORNERS && isNear(before[0]);
    return {
      every: (places) => this.set([...(this.corners === before ? [...before, start] : this.corners), ...places.map((place) => this.page.prompts.within(place))]),
      end: (_at, { timeStamp }, moved) => {
        if (!moved) this.set(closes ? before : [...before, start]);
        if (closes || (moved && !before.length)) this.close(timeStamp);
      },
      cancel: () => this.set(before),
    };
  }

  set(corners) {
    this.corners = corners;
    this.page.stage.line = corners.length ? corners : null;
    this.page.controls.renderCandidates();
    this.page.stage.refresh();
  }

  removeLast() {
    this.set(this.corners.slice(0, -1));
  }

  // whether there was one to leave
  cancel() {
    if (!this.isOpen) return false;
    this.set([]);
    return true;
  }

  async close(since = performance.now()) {
    const ring = this.corners.flat(), { removes } = this;
    this.set([]);
    if (ring.length < 2 * CLOSING_CORNERS) return this.page.toasts.show(TEXT.tooFewCorners);
    await this.page.maskEdit.takeRing(ring, removes, since);
  }
}
