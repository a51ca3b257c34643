// @ts-check
// What a press on the picture means: a point, a box, something to be moved, a selection.
// A press becomes a drag: {move(at, event), end(at, event, moved), cancel()}, all in picture pixels; none moves the picture.

import { boxGrip, draggedBox } from "./box_grip.js";

export const GRAB_PX = 9;

/**
 * @typedef {object} Drag
 * @property {boolean} [pans] whether it moves the picture
 * @property {(at: number[], event: PointerEvent) => void} [move]
 * @property {(places: number[][]) => void} [every] instead of move: all places between two frames, from the first pixel on
 * @property {(at: number[], event: PointerEvent, moved: boolean) => void} [end]
 * @property {() => void} [cancel]
 */

export class Pointer {
  constructor(page) {
    this.page = page;
  }

  get state() {
    return this.page.state;
  }

  get stage() {
    return this.page.stage;
  }

  get marks() {
    return this.page.prompts;
  }

  /** @returns {Drag | null} */
  press(at, event) {
    if (!this.stage.levels.length) return null;
    if (event.ctrlKey || event.metaKey || this.state.tool === "select") return this.selection();
    const index = this.state.draft.points.findIndex(([x, y]) => this.isNear(at, [x, y]));
    if (index >= 0) return this.pointDrag(index);
    const { box } = this.state.draft;
    const grip = box && boxGrip(box, at, GRAB_PX / this.stage.view.scale);
    return grip ? this.boxDrag(box, grip, at) : this.markDrag(at, event);
  }

  isNear([x, y], [px, py]) {
    return Math.hypot(x - px, y - py) * this.stage.view.scale <= GRAB_PX;
  }

  /** @returns {Drag} */
  selection() {
    return { pans: true, end: (at, event, moved) => { if (!moved) this.select(at, event); } };
  }

  pointDrag(index) {
    return {
      end: (at, event, moved) => {
        if (moved) this.marks.movePoint(index, at, event.timeStamp);
        else this.marks.removePoint(index, event.timeStamp);
      },
    };
  }

  boxDrag(box, sides, [x0, y0]) {
    const to = ([x, y]) => draggedBox(box, sides, x - x0, y - y0);
    return {
      move: (at) => this.rubber(to(at)),
      end: (at, event, moved) => {
        this.rubber(null);
        if (moved) this.marks.setBox(to(at), event.timeStamp);
        else this.marks.removeBox(event.timeStamp);
      },
      cancel: () => this.rubber(null),
    };
  }

  markDrag([x0, y0], { button, shiftKey }) {
    const box = ([x, y]) => [Math.min(x0, x), Math.min(y0, y), Math.max(x0, x), Math.max(y0, y)];
    return {
      move: (at) => { if (button === 0) this.rubber(box(at)); },
      end: (at, event, moved) => {
        this.rubber(null);
        if (!moved) this.point([x0, y0], shiftKey || event.shiftKey || button === 2, event.timeStamp);
        else if (button === 0) this.marks.setBox(box(at), event.timeStamp);
      },
      cancel: () => this.rubber(null),
    };
  }

  rubber(box) {
    this.stage.rubber = box;
    this.stage.refresh();
  }

  point(at, removes, since) {
    this.marks.addPoint(at, removes, since);
  }

  select(at, _event) {
    this.page.objects.selectAt(...at);
  }

  double(_at) {} // a second click is a click

  hover(at, _screen, _event) {
    this.page.controls.renderCursor(this.marks.isInside(at) ? `${Math.floor(at[0])}, ${Math.floor(at[1])}` : "");
  }

  left() {
    this.page.controls.renderCursor("");
  }
}

// what is meant by pointing at things that overlap: the smallest
export function smallestAt(things, x, y) {
  return things.filter(({ mask }) => mask.contains(x, y)).sort((one, other) => one.mask.area - other.mask.area)[0] || null;
}
