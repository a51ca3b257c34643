// @ts-check
// The two canvases: the picture below, masks and marks above. Paints at most once per frame.

import { shownAnswer } from "./draft.js";
import { View } from "./view.js";

const PLUS = "#16a34a", MINUS = "#dc2626";

export class Stage {
  constructor(element, state, painted) {
    this.element = element;
    this.state = state;
    this.painted = painted;
    this.picture = element.querySelector(".cm-picture");
    this.overlay = element.querySelector(".cm-overlay");
    this.view = new View();
    this.levels = [];
    this.extent = null; // {width, height} of the picture
    this.stroke = null; // a brush stroke under way: {points, radius, color}
    this.rubber = null; // a box being dragged: [x0, y0, x1, y1]
    this.cursor = null; // brush circle: [x, y] on the screen
    this.vertices = null; // outline being edited
    this.line = null; // a polygon or cut being drawn: [[x, y], ...]
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(element);
    this.resize();
  }

  get size() {
    return { width: this.element.clientWidth, height: this.element.clientHeight };
  }

  // what is on the screen in whole picture pixels [x0, y0, x1, y1]; null while the whole picture is
  get visiblePart() {
    if (!this.levels.length) return null;
    const { width, height } = this.extent;
    const [left, top] = this.view.toPicture(0, 0), [right, bottom] = this.view.toPicture(this.size.width, this.size.height);
    const part = [Math.max(0, Math.floor(left)), Math.max(0, Math.floor(top)), Math.min(width, Math.ceil(right)), Math.min(height, Math.ceil(bottom))];
    const isAll = part[0] === 0 && part[1] === 0 && part[2] === width && part[3] === height;
    return isAll || part[2] <= part[0] || part[3] <= part[1] ? null : part;
  }

  resize() {
    if (!this.element.clientWidth) return; // it is not on the page: it will come back as it was
    this.ratio = window.devicePixelRatio || 1;
    for (const canvas of [this.picture, this.overlay]) {
      canvas.width = Math.max(1, Math.round(this.size.width * this.ratio));
      canvas.height = Math.max(1, Math.round(this.size.height * this.ratio));
    }
    if (this.view.fitted) this.fit();
    else this.moved();
  }

  // the zoom is kept between pictures of one size
  show(bitmap) {
    this.levels = bitmap ? [bitmap] : [];
    if (!bitmap) return this.moved();
    const { width, height } = bitmap, before = this.extent;
    this.extent = { width, height };
    if (before && before.width === width && before.height === height && !this.view.fitted) this.moved();
    else this.fit();
  }

  // another bitmap of the same extent in the same place, such as the next frame; it may be smaller than the extent
  replace(bitmap) {
    this.levels = [bitmap];
    this.moved();
  }

  fit() {
    if (this.levels.length) this.view.fit(this.extent, this.size);
    this.moved();
  }

  moved() {
    this.pictureDirty = true;
    this.refresh();
  }

  refresh() {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = null;
      if (this.pictureDirty) this.paintPicture();
      this.pictureDirty = false;
      this.paintOverlay();
    });
  }

  // half-size copies, so that a large picture zoomed out is neither slow nor grainy
  level() {
    const depth = halvings(this.view.scale * this.ratio * this.extent.width / this.levels[0].width);
    while (this.levels.length <= depth) this.levels.push(halved(this.levels[this.levels.length - 1]));
    return this.levels[depth];
  }

  paintPicture() {
    const context = this.picture.getContext("2d");
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.picture.width, this.picture.height);
    if (!this.levels.length) return;
    const { width, height } = this.extent;
    const source = this.level();
    this.view.apply(context, this.ratio);
    context.imageSmoothingEnabled = this.view.scale < 3;
    context.drawImage(source, 0, 0, width, height);
  }

  paintOverlay() {
    const context = this.overlay.getContext("2d");
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.overlay.width, this.overlay.height);
    if (!this.levels.length) return;
    this.view.apply(context, this.ratio);
    if (this.state.masksVisible) this.paintMasks(context);
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    this.paintMarks(context);
    this.painted();
  }

  paintMasks(context) {
    const { objects, hiddenObjects, draft, selected, alsoSelected, proposals, pointedProposal, preview } = this.state;
    for (const proposal of proposals) {
      const pointed = proposal.id === pointedProposal;
      this.paintMask(context, proposal.mask, proposal.color, pointed ? 2.5 : 1, pointed ? 1 : 0.6);
    }
    for (const object of objects) {
      if (hiddenObjects.has(object.id) || (draft.editing && draft.editing.id === object.id)) continue;
      const chosen = object.id === selected || alsoSelected.has(object.id);
      this.paintMask(context, object.mask, this.state.colorOf(object.category), chosen ? 2.5 : 1.2);
    }
    const answer = shownAnswer(draft);
    if (answer) this.paintMask(context, answer.mask, this.state.draftColor(), 2);
    if (preview) this.paintMask(context, preview.mask, this.state.draftColor(), 1, answer ? 0.35 : 0.5);
  }

  paintMask(context, mask, color, line, strength = 1) {
    if (!mask.area) return;
    const depth = halvings(this.view.scale * this.ratio), side = 2 ** depth;
    const shown = mask.coarser(depth);
    context.save();
    context.scale(side, side);
    context.globalAlpha = this.state.opacity * strength;
    context.imageSmoothingEnabled = this.view.scale * this.ratio * side < 1;
    context.drawImage(shown.image(color), shown.x, shown.y);
    context.globalAlpha = strength;
    for (const [width, ink] of [[line + 1.5, "rgba(0,0,0,.35)"], [line, color]]) {
      context.lineWidth = width / (this.view.scale * side);
      context.strokeStyle = ink;
      context.stroke(shown.border);
    }
    context.restore();
  }

  paintMarks(context) {
    const { draft } = this.state;
    if (this.stroke) this.paintStroke(context);
    const box = this.rubber || draft.box;
    if (box) this.paintBox(context, box);
    if (this.vertices) this.paintVertices(context);
    else for (const [x, y, positive] of draft.points) this.paintPoint(context, x, y, positive);
    if (this.line) this.paintLine(context);
    if (this.cursor) this.paintCursor(context);
  }

  paintLine(context) {
    for (const [width, color] of [[3.5, "rgba(0,0,0,.5)"], [1.6, "white"]]) {
      context.beginPath();
      this.line.forEach(([x, y], i) => context[i ? "lineTo" : "moveTo"](...this.view.toScreen(x, y)));
      context.lineWidth = width;
      context.strokeStyle = color;
      context.stroke();
    }
    const [left, top] = this.view.toScreen(...this.line[0]);
    context.fillStyle = "white";
    context.fillRect(left - 4, top - 4, 8, 8);
  }

  paintPoint(context, x, y, positive) {
    const [left, top] = this.view.toScreen(x, y);
    context.beginPath();
    context.arc(left, top, 6, 0, 7);
    context.fillStyle = positive ? PLUS : MINUS;
    context.fill();
    context.lineWidth = 2;
    context.strokeStyle = "white";
    context.stroke();
    context.lineWidth = 1.6;
    context.beginPath();
    context.moveTo(left - 2.8, top);
    context.lineTo(left + 2.8, top);
    if (positive) { context.moveTo(left, top - 2.8); context.lineTo(left, top + 2.8); }
    context.stroke();
  }

  paintBox(context, [x0, y0, x1, y1]) {
    const [left, top] = this.view.toScreen(x0, y0), [right, bottom] = this.view.toScreen(x1, y1);
    context.lineWidth = 1.5;
    context.strokeStyle = "white";
    context.strokeRect(left, top, right - left, bottom - top);
    context.setLineDash([5, 4]);
    context.strokeStyle = "#111";
    context.strokeRect(left, top, right - left, bottom - top);
    context.setLineDash([]);
    if (!this.rubber) this.paintHandles(context, left, top, right, bottom);
  }

  paintHandles(context, left, top, right, bottom) {
    const middle = [(left + right) / 2, (top + bottom) / 2];
    context.fillStyle = "white";
    context.lineWidth = 1;
    for (const [x, y] of [[left, top], [middle[0], top], [right, top], [right, middle[1]], [right, bottom], [middle[0], bottom], [left, bottom], [left, middle[1]]]) {
      context.fillRect(x - 3.5, y - 3.5, 7, 7);
      context.strokeRect(x - 3.5, y - 3.5, 7, 7);
    }
  }

  paintStroke(context) {
    context.globalAlpha = 0.55;
    context.strokeStyle = this.stroke.color;
    context.lineCap = context.lineJoin = "round";
    context.lineWidth = 2 * this.stroke.radius * this.view.scale;
    context.beginPath();
    this.stroke.points.forEach(([x, y], i) => context[i ? "lineTo" : "moveTo"](...this.view.toScreen(x, y)));
    if (this.stroke.points.length === 1) context.lineTo(...this.view.toScreen(...this.stroke.points[0]));
    context.stroke();
    context.globalAlpha = 1;
  }

  paintCursor(context) {
    const [x, y] = this.cursor;
    for (const [width, color] of [[3, "rgba(0,0,0,.5)"], [1.2, "white"]]) {
      context.beginPath();
      context.arc(x, y, this.state.brushRadius * this.view.scale, 0, 7);
      context.lineWidth = width;
      context.strokeStyle = color;
      context.stroke();
    }
  }

  paintVertices(context) {
    context.lineWidth = 1.5;
    context.strokeStyle = "white";
    for (const ring of this.vertices) {
      context.beginPath();
      for (let i = 0; i < ring.length; i += 2) context[i ? "lineTo" : "moveTo"](...this.view.toScreen(ring[i], ring[i + 1]));
      context.closePath();
      context.stroke();
    }
    context.fillStyle = "white";
    context.strokeStyle = this.state.draftColor();
    const side = this.vertices.reduce((sum, ring) => sum + ring.length, 0) > 1200 ? 3 : 7;
    for (const ring of this.vertices) {
      for (let i = 0; i < ring.length; i += 2) {
        const [x, y] = this.view.toScreen(ring[i], ring[i + 1]);
        context.fillRect(x - side / 2, y - side / 2, side, side);
        context.strokeRect(x - side / 2, y - side / 2, side, side);
      }
    }
  }
}

// how often something shown at this scale can be halved and still fill the screen's pixels
function halvings(scale) {
  return Math.min(5, Math.max(0, Math.floor(-Math.log2(scale))));
}

function halved(source) {
  const canvas = new OffscreenCanvas(Math.max(1, source.width >> 1), Math.max(1, source.height >> 1));
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(source, 0, 0, canvas.width, canvas.height);
  return canvas;
}
