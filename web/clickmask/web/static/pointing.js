// Points and boxes in picture pixels, as the pages keep them. (Part of Page; mark(change) says what becomes of them.)

const Pointing = {
  isInside([x, y]) {
    const { picture } = this.state;
    return Boolean(picture) && x >= 0 && y >= 0 && x <= picture.width && y <= picture.height;
  },

  // the nearest place in the picture, in tenths of a pixel
  within([x, y]) {
    const { width, height } = this.state.picture;
    return [round1(clamp(x, 0, width)), round1(clamp(y, 0, height))];
  },

  markPoint(x, y, removes, since) {
    if (!this.isInside([x, y])) return;
    const point = [round1(x), round1(y), removes === this.state.swapped];
    this.mark({ points: [...this.state.draft.points, point], since });
  },

  movePoint(index, at, since) {
    const { points } = this.state.draft;
    this.mark({ points: points.map((point, i) => (i === index ? [...this.within(at), point[2]] : point)), since });
  },

  removePoint(index, since) {
    this.mark({ points: this.state.draft.points.filter((_, i) => i !== index), since });
  },

  rubber(box) {
    this.stage.rubber = box;
    this.stage.refresh();
  },

  markBox([x0, y0, x1, y1], since) {
    this.stage.rubber = null;
    const box = [...this.within([x0, y0]), ...this.within([x1, y1])];
    if (box[2] - box[0] >= 1 && box[3] - box[1] >= 1) this.mark({ box, since });
    else this.stage.refresh();
  },

  gestureCancelled() {
    this.stage.stroke = this.stage.rubber = null;
    this.stage.refresh();
  },

  pointed(at) {
    this.controls.renderCursor(this.isInside(at) ? `${Math.floor(at[0])}, ${Math.floor(at[1])}` : "");
  },

  pointerLeft() {
    this.controls.renderCursor("");
  },

  // what is meant by pointing at things that overlap: the smallest
  smallestAt(things, x, y) {
    return things.filter(({ mask }) => mask.contains(x, y)).sort((one, other) => one.mask.area - other.mask.area)[0] || null;
  },
};

Object.assign(Page.prototype, Pointing);

function round1(value) {
  return Math.round(value * 10) / 10;
}

function clamp(value, low, high) {
  return Math.min(high, Math.max(low, value));
}
