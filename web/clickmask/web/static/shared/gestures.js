// @ts-check
// Pointer, wheel and pinch on the canvas: moving and zooming happen here, every other press is the page's pointer's.

const SLOP_PX = 4; // a press that moves less is a click
const PALM_MS = 1000; // a touch this soon after the pen was seen is the hand that holds it

export class Gestures {
  constructor(stage, page, signal) {
    this.stage = stage;
    this.page = page;
    this.touches = new Map();
    this.press = null; // {drag, start, last, moved}
    this.pinch = null;
    this.space = false;
    this.penSeen = -Infinity;
    const on = (name, handler, options = {}) => stage.overlay.addEventListener(name, handler, { signal, ...options });
    on("pointerdown", (event) => this.down(event));
    on("pointermove", (event) => this.moved(event));
    on("pointerup", (event) => this.up(event));
    on("pointercancel", (event) => this.cancel(event));
    on("pointerleave", () => this.page.pointer.left());
    on("wheel", (event) => this.wheel(event), { passive: false });
    on("contextmenu", (event) => event.preventDefault());
    on("mousedown", (event) => { if (event.button) event.preventDefault(); }); // no autoscroll
    on("mouseup", (event) => { if (event.button > 2) event.preventDefault(); }); // thumb buttons: nor does the browser leave
    on("dblclick", (event) => this.page.pointer.double(this.at(event)));
  }

  screen(event) {
    const box = this.stage.overlay.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  at(event) {
    return this.stage.view.toPicture(...this.screen(event));
  }

  down(event) {
    if (event.button > 2 || this.isPalm(event)) return;
    if (event.pointerType === "pen") this.forgetTouches();
    this.stage.overlay.setPointerCapture(event.pointerId);
    this.touches.set(event.pointerId, this.screen(event));
    if (this.touches.size === 2) return this.startPinch();
    if (this.touches.size > 2) return;
    const pans = event.button === 1 || this.space || !this.page.state.picture;
    const drag = (pans ? null : this.page.pointer.press(this.at(event), event)) || { pans: true };
    this.press = { drag, start: this.screen(event), last: this.screen(event), moved: false };
  }

  isPalm({ pointerType, timeStamp }) {
    return pointerType === "touch" && timeStamp - this.penSeen < PALM_MS;
  }

  // the palm may be there before the pen
  forgetTouches() {
    this.cancelPress();
    this.touches.clear();
    this.pinch = null;
  }

  moved(event) {
    if (event.pointerType === "pen") this.penSeen = event.timeStamp;
    if (this.isPalm(event)) return;
    const now = this.screen(event), { press } = this;
    if (this.touches.has(event.pointerId)) this.touches.set(event.pointerId, now);
    if (this.pinch && this.touches.size >= 2) return this.pinched();
    this.page.pointer.hover(this.at(event), now, event);
    if (!press) return;
    const [dx, dy] = [now[0] - press.last[0], now[1] - press.last[1]];
    press.moved ||= Math.hypot(now[0] - press.start[0], now[1] - press.start[1]) > SLOP_PX;
    press.last = now;
    if (!press.moved && !press.drag.every) return;
    if (press.drag.pans) this.pan(dx, dy);
    else if (press.drag.every) this.everyMove(press.drag, event);
    else if (press.drag.move) press.drag.move(this.at(event), event);
  }

  // strokes want every place the pointer was, also between two frames
  everyMove(drag, event) {
    const all = event.getCoalescedEvents ? event.getCoalescedEvents() : [];
    drag.every((all.length ? all : [event]).map((one) => this.at(one)));
  }

  pan(dx, dy) {
    this.stage.view.move(dx, dy);
    this.stage.moved();
    this.page.zoomed();
  }

  up(event) {
    this.touches.delete(event.pointerId);
    if (event.pointerType === "pen") this.penSeen = event.timeStamp;
    if (this.isPalm(event)) return;
    if (this.pinch) {
      if (!this.touches.size) this.pinch = null;
      return;
    }
    const { press } = this;
    this.press = null;
    if (press && press.drag.end) press.drag.end(this.at(event), event, press.moved);
  }

  cancel(event) {
    this.touches.delete(event.pointerId);
    this.pinch = null;
    this.cancelPress();
  }

  cancelPress() {
    const { press } = this;
    this.press = null;
    if (press && press.drag.cancel) press.drag.cancel();
  }

  startPinch() {
    this.cancelPress();
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
    this.page.zoomed();
  }

  wheel(event) {
    event.preventDefault();
    if (!this.page.state.picture) return;
    const lines = event.deltaMode === 1 ? 16 : 1;
    const speed = event.ctrlKey ? 0.01 : 0.0016; // a pinch on a trackpad arrives as a ctrl wheel
    this.stage.view.zoomAt(...this.screen(event), Math.exp(-event.deltaY * lines * speed));
    this.stage.moved();
    this.page.zoomed();
  }
}
