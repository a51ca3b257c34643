// @ts-check
// The pointer on a photo: beside points and boxes, strokes, vertices, proposals and the preview.

import { GRAB_PX, Pointer } from "../shared/pointer.js";

export class PhotoPointer extends Pointer {
  /** @returns {import("../shared/pointer.js").Drag | null} */
  press(at, event) {
    const { tool } = this.state;
    if (tool === "brush" || tool === "eraser") return this.stroke(at, event);
    if (tool === "outline") return this.vertexDrag(at, event);
    const selects = event.ctrlKey || event.metaKey;
    if (tool === "polygon" && !selects) return this.page.polygon.press(at, event, (place) => this.isNear(at, place));
    if (tool === "split" && !selects) return this.cut(at);
    return super.press(at, event);
  }

  stroke(at, event) {
    const { maskEdit } = this.page;
    const opposite = event.button === 2 || event.shiftKey;
    if (!maskEdit.beginStroke(at, opposite !== (this.state.tool === "eraser"))) return {};
    return {
      every: (places) => maskEdit.continueStroke(places),
      end: (_at, { timeStamp }) => maskEdit.endStroke(timeStamp),
      cancel: () => maskEdit.cancelStroke(),
    };
  }

  // a vertex is moved, or deleted; an edge gets one
  vertexDrag(at, { button, shiftKey }) {
    const { maskEdit } = this.page;
    const found = maskEdit.vertexAt((place) => this.isNear(at, place));
    if (found && (button === 2 || shiftKey)) return { end: (_at, { timeStamp }) => maskEdit.deleteVertex(found, timeStamp) };
    const vertex = found || maskEdit.addVertex(at, GRAB_PX / this.stage.view.scale);
    if (!vertex) return null;
    return {
      move: (to) => maskEdit.moveVertex(vertex, to),
      end: (_at, { timeStamp }) => maskEdit.endVertex(timeStamp),
      cancel: () => maskEdit.cancelVertex(),
    };
  }

  cut(at) {
    const line = [at];
    const show = (shown) => { this.stage.line = shown; this.stage.refresh(); };
    return {
      every: (places) => { line.push(...places); show(line); },
      end: (_at, { timeStamp }, moved) => { show(null); if (moved) this.page.maskEdit.split(line, timeStamp); },
      cancel: () => show(null),
    };
  }

  select(at, { shiftKey }) {
    this.page.objects.selectAt(...at, shiftKey);
  }

  // a click on a proposal accepts it, or discards it
  point(at, removes, since) {
    if (!this.page.proposals.take(...at, removes)) super.point(at, removes, since);
  }

  double(at) {
    if (this.state.tool !== "select") return;
    const object = this.page.objects.objectAt(...at);
    if (object) this.page.objects.refine(object);
  }

  hover(at, screen, event) {
    super.hover(at, screen, event);
    const paints = this.state.tool === "brush" || this.state.tool === "eraser";
    this.stage.cursor = paints ? screen : null;
    if (paints) this.stage.refresh();
    this.page.proposals.point(at);
    if (this.marks.isInside(at) && event.pointerType === "mouse" && !event.buttons) this.page.preview.over(at);
    else this.page.preview.stop();
  }

  left() {
    super.left();
    this.page.proposals.point(null);
    this.stage.cursor = null;
    this.page.preview.stop();
    this.stage.refresh();
  }
}
