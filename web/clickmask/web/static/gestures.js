// Pointer and wheel on the canvas, told as what the person meant: point, box, move, zoom, brush, vertex.

const SLOP_PX = 4; // a press that moves less is a click
const GRAB_PX = 9;

class Gestures {
  constructor(stage, app, signal) {
    this.stage = stage;
    this.app = app;
    this.touches = new Map();
    this.drag = null;
    this.space = false;
    const on = (name, handler, options = {}) => stage.overlay.addEventListener(name, handler, { signal, ...options });
    on("pointerdown", (event) => this.down(event));
    on("pointermove", (event) => this.moved(event));
    on("pointerup", (event) => this.up(event));
    on("pointercancel", (event) => this.cancel(event));
    on("pointerleave", () => this.left());
    on("wheel", (event) => this.wheel(event), { passive: false });
    on("contextmenu", (event) => event.preventDefault());
    on("dblclick", (event) => this.app.doubleClicked(...this.at(event)));
  }

  screen(event) {
    const box = this.stage.overlay.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  at(event) {
    return this.stage.view.toPicture(...this.screen(event));
  }

  down(event) {
    this.stage.overlay.setPointerCapture(event.pointerId);
    this.touches.set(event.pointerId, this.screen(event));
    if (this.touches.size === 2) return this.startPinch();
    if (this.touches.size > 2) return;
    const pans = event.button === 1 || this.space || !this.app.state.picture;
    if (event.button === 1) event.preventDefault();
    const kind = pans ? "pan" : this.kindOf(event);
    this.drag = { kind, start: this.screen(event), last: this.screen(event), moved: false, button: event.button };
    if (kind === "brush") this.app.strokeBegins(this.at(event), this.erases(event));
    if (kind === "vertex" || kind === "point") this.drag.index = this.found;
  }

  kindOf(event) {
    const tool = this.app.state.tool;
    if (tool === "brush" || tool === "eraser") return "brush";
    if (tool === "outline") {
      this.found = this.vertexUnder(event);
      return this.found ? "vertex" : "pan";
    }
    if (tool === "select" || event.ctrlKey || event.metaKey) return "select";
    this.found = this.pointUnder(event);
    return this.found >= 0 ? "point" : "mark";
  }

  erases(event) {
    const eraser = this.app.state.tool === "eraser";
    return event.button === 2 || event.shiftKey ? !eraser : eraser;
  }

  pointUnder(event) {
    return this.app.state.draft.points.findIndex(([x, y]) => this.isNear(event, x, y));
  }

  vertexUnder(event) {
    for (const [r, ring] of (this.stage.vertices || []).entries()) {
      for (let i = 0; i < ring.length; i += 2) if (this.isNear(event, ring[i], ring[i + 1])) return [r, i];
    }
    return null;
  }

  isNear(event, x, y) {
    const [px, py] = this.screen(event), [sx, sy] = this.stage.view.toScreen(x, y);
    return Math.hypot(px - sx, py - sy) <= GRAB_PX;
  }

  moved(event) {
    const now = this.screen(event);
    if (this.touches.has(event.pointerId)) this.touches.set(event.pointerId, now);
    if (this.pinch && this.touches.size >= 2) return this.pinched();
    this.app.pointed(this.at(event), now, event);
    if (!this.drag) return;
    const [dx, dy] = [now[0] - this.drag.last[0], now[1] - this.drag.last[1]];
    this.drag.moved ||= Math.hypot(now[0] - this.drag.start[0], now[1] - this.drag.start[1]) > SLOP_PX;
    this.drag.last = now;
    if (this.drag.kind === "brush") return this.strokeMoves(event);
    if (!this.drag.moved) return;
    if (this.drag.kind === "pan" || this.drag.kind === "select") this.pan(dx, dy);
    if (this.drag.kind === "vertex") this.app.vertexMoves(this.drag.index, this.at(event));
    if (this.drag.kind === "mark" && this.drag.button === 0) this.app.rubber(this.boxTo(event));
  }

  strokeMoves(event) {
    const all = event.getCoalescedEvents ? event.getCoalescedEvents() : [event];
    this.app.strokeMoves((all.length ? all : [event]).map((one) => this.at(one)));
  }

  pan(dx, dy) {
    this.stage.view.move(dx, dy);
    this.stage.moved();
    this.app.zoomed();
  }

  boxTo(event) {
    const [x0, y0] = this.stage.view.toPicture(...this.drag.start), [x1, y1] = this.at(event);
    return [Math.min(x0, x1), Math.min(y0, y1), Math.max(x0, x1), Math.max(y0, y1)];
  }

  up(event) {
    this.touches.delete(event.pointerId);
    if (this.pinch) {
      if (!this.touches.size) this.pinch = null;
      return;
    }
    const drag = this.drag;
    this.drag = null;
    if (!drag) return;
    this.drag = drag.kind === "mark" && drag.moved ? drag : null;
    if (drag.kind === "brush") this.app.strokeEnds(event.timeStamp);
    else if (drag.kind === "vertex") this.app.vertexEnds(event.timeStamp);
    else if (drag.kind === "select" && !drag.moved) this.app.selectAt(...this.at(event));
    else if (drag.kind === "point") this.pointEnds(drag, event);
    else if (drag.kind === "mark") this.markEnds(drag, event);
    this.drag = null;
  }

  pointEnds(drag, event) {
    if (drag.moved) this.app.movePoint(drag.index, this.at(event), event.timeStamp);
    else this.app.removePoint(drag.index, event.timeStamp);
  }

  markEnds(drag, event) {
    if (drag.moved && drag.button === 0) return this.app.markBox(this.boxTo(event), event.timeStamp);
    if (drag.moved) return;
    const [x, y] = this.stage.view.toPicture(...drag.start);
    this.app.markPoint(x, y, event.shiftKey || drag.button === 2, event.timeStamp);
  }

  cancel(event) {
    this.touches.delete(event.pointerId);
    this.drag = this.pinch = null;
    this.app.gestureCancelled();
  }

  left() {
    this.app.pointerLeft();
  }

  startPinch() {
    this.drag = null;
    this.app.gestureCancelled();
    this.pinch = this.pinchNow();
  }

  pinchNow() {
    const [a, b] = [...this.touches.values()];
    return { x: (a[0] + b[0]) / 2, y: (a[1] + b[1]) / 2, gap: Math.max(1, Math.hypot(a[0] - b[0], a[1] - b[1])) };
  }

  pinched() {
    const before = this.pinch, now = this.pinchNow();
    this.pinch = now;
    this.stage.view.move(now.x - before.x, now.y - before.y);
    this.stage.view.zoomAt(now.x, now.y, now.gap / before.gap);
    this.stage.moved();
    this.app.zoomed();
  }

  wheel(event) {
    event.preventDefault();
    if (!this.app.state.picture) return;
    const lines = event.deltaMode === 1 ? 16 : 1;
    const speed = event.ctrlKey ? 0.01 : 0.0016; // a pinch on a trackpad arrives as a ctrl wheel
    this.stage.view.zoomAt(...this.screen(event), Math.exp(-event.deltaY * lines * speed));
    this.stage.moved();
    this.app.zoomed();
  }
}
