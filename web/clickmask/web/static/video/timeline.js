// @ts-check
// The strip below the picture: one lane per object, where it was pointed at, seen, lost, or is outdated.

import { make } from "../shared/dom.js";
import { VIDEO } from "../shared/strings.js";

const RULER_PX = 20, LANE_PX = 18, CELL_PX = 12;
const RANK = ".slSLpn"; // what shows where several frames share a pixel

export class Timeline {
  constructor(box, app) {
    this.app = app;
    this.box = box;
    this.canvas = make("canvas", { class: "cm-timeline", role: "slider", tabIndex: -1, "aria-label": VIDEO.timeline });
    box.append(this.canvas);
    this.lanes = document.createElement("canvas"); // all but the playhead
    this.observer = new ResizeObserver(() => this.changed());
    this.observer.observe(this.box);
    const on = (name, run) => this.canvas.addEventListener(name, run);
    on("pointerdown", (event) => this.down(event));
    on("pointermove", (event) => this.pointed(event));
    on("pointerup", () => { this.dragging = false; });
    on("pointercancel", () => { this.dragging = false; });
    on("pointerleave", () => this.app.controls.renderCursor(""));
  }

  get gutter() {
    return this.canvas.clientWidth < 600 ? 26 : 118;
  }

  get cell() {
    return Math.max(0.001, this.canvas.clientWidth - this.gutter - 8) / this.app.state.video.frames;
  }

  x(frame) {
    return this.gutter + frame * this.cell;
  }

  frameAt(event) {
    const x = event.clientX - this.canvas.getBoundingClientRect().left;
    return Math.min(this.app.state.video.frames - 1, Math.max(0, Math.floor((x - this.gutter) / this.cell)));
  }

  thingAt(event) {
    const y = event.clientY - this.canvas.getBoundingClientRect().top;
    return this.app.state.shownThings[Math.floor((y - RULER_PX) / LANE_PX)] || null;
  }

  down(event) {
    if (!this.app.state.video || event.button) return;
    const thing = this.thingAt(event);
    if (thing) this.app.objects.select(thing.id);
    const x = event.clientX - this.canvas.getBoundingClientRect().left;
    if (thing && x < this.gutter) return;
    this.canvas.setPointerCapture(event.pointerId);
    this.dragging = true;
    this.app.seek(this.frameAt(event));
  }

  pointed(event) {
    if (!this.app.state.video) return;
    const frame = this.frameAt(event), thing = this.thingAt(event);
    if (this.dragging) this.app.seek(frame);
    this.app.controls.renderCursor(`${frame + 1}${thing ? ` · ${VIDEO.thing(thing)}: ${this.app.aboutFrame(thing.id, frame)}` : ""}`);
  }

  // objects or what is known about them
  changed() {
    this.dirty = true;
    this.moved();
  }

  // only the playhead
  moved() {
    if (this.waiting) return;
    this.waiting = requestAnimationFrame(() => {
      this.waiting = null;
      this.paint();
    });
  }

  paint() {
    const { state } = this.app;
    this.canvas.hidden = !state.video;
    if (!state.video || !this.box.clientWidth) return;
    const ratio = window.devicePixelRatio || 1;
    const width = this.box.clientWidth, height = RULER_PX + LANE_PX * Math.max(1, state.shownThings.length) + 4;
    if (this.dirty || this.lanes.width !== Math.round(width * ratio) || this.lanes.height !== Math.round(height * ratio)) {
      this.canvas.style.height = `${height}px`;
      for (const canvas of [this.canvas, this.lanes]) [canvas.width, canvas.height] = [Math.round(width * ratio), Math.round(height * ratio)];
      this.paintLanes(ratio, width, height);
      this.dirty = false;
    }
    const context = this.canvas.getContext("2d");
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    context.drawImage(this.lanes, 0, 0);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.paintPlayhead(context, height);
    this.canvas.setAttribute("aria-valuemin", "1");
    this.canvas.setAttribute("aria-valuemax", state.video.frames);
    this.canvas.setAttribute("aria-valuenow", state.frame + 1);
  }

  paintLanes(ratio, width, height) {
    const context = this.lanes.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    const style = getComputedStyle(this.box);
    const color = (name) => style.getPropertyValue(`--cm-${name}`).trim();
    this.ink = { dim: color("dim"), line: color("line"), text: style.color, soft: color("soft"), accent: color("accent"), panel: color("panel"), sunk: color("sunk") };
    context.font = "11px system-ui, sans-serif";
    context.textBaseline = "middle";
    this.paintRuler(context, width);
    this.app.state.shownThings.forEach((thing, row) => this.paintLane(context, thing, RULER_PX + row * LANE_PX, width));
  }

  paintRuler(context, width) {
    const { frames } = this.app.state.video;
    const step = niceStep(70 / this.cell);
    context.fillStyle = this.ink.dim;
    context.textAlign = "left";
    for (let frame = 0; frame < frames; frame = (Math.floor((frame + 1) / step) + 1) * step - 1) { // 1, then round numbers
      if (frame === 0 && step > 1 && this.cell * (step - 1) < 34) continue;
      const x = this.x(frame + 0.5);
      if (x > width - 26) break; // no room for the number
      context.fillRect(x, RULER_PX - 6, 1, 4);
      context.fillText(String(frame + 1), x + 4, RULER_PX / 2);
    }
  }

  paintLane(context, thing, top, width) {
    const { state } = this.app;
    const lane = state.lanes.get(thing.id);
    const selected = thing.id === state.selected;
    const y = top + (LANE_PX - CELL_PX) / 2, right = this.x(state.video.frames);
    if (selected) {
      context.fillStyle = this.ink.soft;
      context.beginPath();
      context.roundRect(2, top, width - 4, LANE_PX, 4);
      context.fill();
    }
    context.fillStyle = this.ink.sunk;
    context.fillRect(this.gutter, y, right - this.gutter, CELL_PX);
    if (lane) this.paintCells(context, lane, thing.color, y);
    this.paintName(context, thing, top + LANE_PX / 2, selected);
  }

  paintName(context, thing, middle, selected) {
    context.fillStyle = thing.color;
    context.beginPath();
    context.arc(13, middle, 4.5, 0, 7);
    context.fill();
    if (this.gutter < 60) return;
    context.fillStyle = selected ? this.ink.text : this.ink.dim;
    context.textAlign = "left";
    context.fillText(clippedText(context, VIDEO.thing(thing), this.gutter - 34), 23, middle + 0.5);
  }

  paintCells(context, { letters, confidence }, color, y) {
    const width = this.cell;
    const marks = [];
    for (let frame = 0; frame < letters.length;) {
      let letter = letters[frame], end = frame + 1;
      while (end < letters.length && (end - frame) * width < 1) { // frames that share a pixel
        if (RANK.indexOf(letters[end]) > RANK.indexOf(letter)) letter = letters[end];
        end++;
      }
      this.paintCell(context, letter, confidence[frame], color, this.x(frame), y, Math.max(1, (end - frame) * width));
      if (letter === "p" || letter === "n") marks.push([letter, this.x(frame) + (end - frame) * width / 2]);
      frame = end;
    }
    for (const [letter, x] of marks) this.paintMark(context, letter, x, y + CELL_PX / 2);
  }

  paintCell(context, letter, confidence, color, x, y, width) {
    const middle = y + CELL_PX / 2;
    context.fillStyle = color;
    if (letter === "s" || letter === "p") {
      context.globalAlpha = letter === "p" ? 1 : 0.25 + 0.7 * confidence / 255;
      context.fillRect(x, y, width + 0.3, CELL_PX);
    } else if (letter === "S") {
      context.globalAlpha = 0.28;
      context.fillRect(x, y + 3, width + 0.3, CELL_PX - 6);
    } else if (letter === "l" || letter === "L" || letter === "n") {
      context.globalAlpha = letter === "L" ? 0.5 : 1;
      context.fillStyle = this.ink.dim;
      context.fillRect(x, middle - 0.75, width + 0.3, 1.5);
    }
    context.globalAlpha = 1;
  }

  paintMark(context, letter, x, y) {
    context.lineWidth = 1.5;
    context.strokeStyle = this.ink.text;
    context.fillStyle = this.ink.panel;
    context.beginPath();
    if (letter === "p") {
      context.moveTo(x, y - 5); context.lineTo(x + 5, y); context.lineTo(x, y + 5); context.lineTo(x - 5, y);
      context.closePath();
      context.fill();
    } else {
      context.moveTo(x - 3.5, y - 3.5); context.lineTo(x + 3.5, y + 3.5); context.moveTo(x + 3.5, y - 3.5); context.lineTo(x - 3.5, y + 3.5);
    }
    context.stroke();
  }

  paintPlayhead(context, height) {
    const x = this.x(this.app.state.frame + 0.5);
    context.fillStyle = this.ink.accent;
    context.fillRect(x - 1, 4, 2, height - 6);
    context.beginPath();
    context.moveTo(x - 6, 0); context.lineTo(x + 6, 0); context.lineTo(x + 6, 5); context.lineTo(x, 11); context.lineTo(x - 6, 5);
    context.fill();
  }
}

// 1, 2, 5, 10, 20, 50, ... not below the wanted size
function niceStep(wanted) {
  let step = 1;
  for (let i = 0; step < wanted; i++) step *= i % 3 === 1 ? 2.5 : 2;
  return step;
}

function clippedText(context, text, width) {
  if (context.measureText(text).width <= width) return text;
  let kept = text.length;
  while (kept > 1 && context.measureText(`${text.slice(0, kept)}…`).width > width) kept--;
  return `${text.slice(0, kept)}…`;
}
