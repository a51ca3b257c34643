// @ts-check
// Changing a mask by hand: brush, eraser, outline.

import { isEmptyDraft, shownAnswer, withMask } from "../shared/draft.js";
import { Mask } from "../shared/mask.js";
import { cutAlong, largestPart, minus, union, withoutHoles } from "../shared/mask_ops.js";
import { clamp } from "../shared/numbers.js";
import { RequestQueue } from "../shared/request_queue.js";
import { TEXT } from "../shared/strings.js";
import { drawnObject, newId } from "./objects.js";
import { keepSettings } from "./state.js";
import { paintedMask } from "./stroke.js";

const NEEDS_MASK = ["eraser", "outline"];
const TAKES_SELECTED = ["brush", "polygon", ...NEEDS_MASK];

export class MaskEdit {
  /** @param {import("./app.js").PhotoApp} page */
  constructor(page) {
    this.page = page;
    this.outlines = new RequestQueue((q) => page.call("outline", q), (q, answer) => this.outlineAnswered(q, answer), (_q, failure) => page.fail(failure));
    this.outlined = null; // mask and detail of the rings on the screen
    this.dragged = null; // where the vertex under the pointer is
    this.ringsBefore = null; // the rings before the vertex was moved
  }

  get state() {
    return this.page.state;
  }

  get stage() {
    return this.page.stage;
  }

  // a selected object becomes the draft before it is changed
  prepare(tool) {
    if (TAKES_SELECTED.includes(tool)) this.takeSelected();
    if (NEEDS_MASK.includes(tool)) this.hasMask();
  }

  takeSelected() {
    const object = this.state.selectedObject;
    if (object && isEmptyDraft(this.state.draft)) this.page.objects.refine(object);
  }

  // says so where there is none
  hasMask() {
    const answer = shownAnswer(this.state.draft);
    if (!answer) this.page.toasts.show(TEXT.noMaskToEdit);
    return Boolean(answer);
  }

  // whether there is something to paint on
  beginStroke(at, erases) {
    this.takeSelected();
    if (erases && !this.hasMask()) return false;
    this.stage.stroke = { points: [at], radius: this.state.brushRadius, erases, color: erases ? "#000000" : this.state.draftColor() };
    this.stage.refresh();
    return true;
  }

  continueStroke(points) {
    this.stage.stroke.points.push(...points);
    this.stage.refresh();
  }

  endStroke(since) {
    const { stroke } = this.stage;
    this.stage.stroke = null;
    const answer = shownAnswer(this.state.draft);
    const mask = answer ? answer.mask : new Mask(new Uint32Array(4));
    const painted = paintedMask(mask, stroke.points, stroke.radius, stroke.erases, this.state.picture);
    if (painted.area || mask.area) this.page.prompts.next(withMask(this.state.draft, painted, since));
    else this.stage.refresh();
  }

  cancelStroke() {
    this.stage.stroke = null;
    this.stage.refresh();
  }

  resizeBrush(factor) {
    this.state.brushRadius = Math.round(clamp(this.state.brushRadius * factor, 1, 200) * 10) / 10;
    keepSettings(this.state);
    this.page.panels.settings.render();
    this.stage.refresh();
  }

  // asks for the outline whenever the mask or the wanted detail changed
  updateOutline() {
    const { draft, tool, minIou, picture, folder } = this.state;
    const answer = shownAnswer(draft), { settings } = this.page.panels;
    if (tool !== "outline" || !answer || !answer.mask.area) {
      this.stage.vertices = null;
      this.outlined = null;
      settings.showOutline("");
      return;
    }
    const wanted = `${answer.mask.text}:${minIou}`;
    if (wanted === this.outlined) return;
    this.outlined = wanted;
    setTimeout(() => { if (this.outlines.busy) settings.showOutline(TEXT.outlining); }, 300);
    this.outlines.put({ wanted, folder, picture: picture.id, runs: answer.mask.text, min_iou: minIou });
  }

  outlineAnswered(question, answer) {
    if (question.wanted !== this.outlined) return;
    this.stage.vertices = answer.rings;
    this.page.panels.settings.showOutline(TEXT.points(answer.points, answer.iou));
    this.stage.refresh();
  }

  // [ring, index of x], or null
  vertexAt(isNear) {
    for (const [r, ring] of (this.stage.vertices || []).entries()) {
      for (let i = 0; i < ring.length; i += 2) if (isNear([ring[i], ring[i + 1]])) return [r, i];
    }
    return null;
  }

  // a new vertex on the edge under the pointer
  addVertex([x, y], reach) {
    for (const [r, ring] of (this.stage.vertices || []).entries()) {
      for (let i = 0; i < ring.length; i += 2) {
        const [x1, y1] = [ring[(i + 2) % ring.length], ring[(i + 3) % ring.length]];
        if (distanceToEdge([x, y], [ring[i], ring[i + 1]], [x1, y1]) > reach) continue;
        this.keepRings();
        ring.splice(i + 2, 0, x, y);
        this.dragged = [x, y];
        this.stage.refresh();
        return [r, i + 2];
      }
    }
    return null;
  }

  deleteVertex([r, i], since) {
    this.keepRings();
    const ring = this.stage.vertices[r];
    ring.splice(i, 2);
    if (ring.length < 6) this.stage.vertices.splice(r, 1);
    this.takeVertices(since);
  }

  keepRings() {
    this.ringsBefore = this.stage.vertices.map((ring) => [...ring]);
  }

  moveVertex([ring, index], at) {
    if (!this.dragged) this.keepRings();
    const to = this.page.prompts.within(at);
    const all = this.stage.vertices[ring];
    const from = this.dragged || [all[index], all[index + 1]];
    for (let i = 0; i < all.length; i += 2) { // both sides of a cut to a hole move together
      if (all[i] === from[0] && all[i + 1] === from[1]) [all[i], all[i + 1]] = to;
    }
    this.dragged = to;
    this.stage.refresh();
  }

  cancelVertex() {
    this.dragged = null;
    this.outlined = null;
    this.updateOutline();
  }

  async endVertex(since) {
    if (!this.dragged) return;
    this.dragged = null;
    await this.takeVertices(since);
  }

  // only what lies between the old rings and the new ones changes: elsewhere the mask is finer than its outline
  async takeVertices(since) {
    const { draft } = this.state, { vertices } = this.stage, before = this.ringsBefore;
    try {
      const [old, now] = await Promise.all([this.filled(before), this.filled(vertices)]);
      if (this.state.draft !== draft) return;
      const mask = union(minus(shownAnswer(draft).mask, minus(old, now)), minus(now, old));
      this.outlined = `${mask.text}:${this.state.minIou}`; // the rings stay on the screen
      this.page.panels.settings.showOutline(TEXT.corners(vertices.reduce((sum, ring) => sum + ring.length / 2, 0)));
      this.page.prompts.next(withMask(draft, mask, since));
    } catch (failure) {
      this.page.fail(failure);
    }
  }

  // the mask inside rings
  async filled(rings) {
    const { folder, picture } = this.state;
    return Mask.fromText((await this.page.call("fill", { folder, picture: picture.id, rings })).runs);
  }

  // what was drawn by hand joins the draft, or leaves it
  async takeRing(ring, removes, since) {
    const { draft } = this.state;
    try {
      const drawn = await this.filled([ring]);
      if (this.state.draft !== draft) return;
      const answer = shownAnswer(draft);
      if (!answer && removes) return this.hasMask();
      const mask = !answer ? drawn : removes ? minus(answer.mask, drawn) : union(answer.mask, drawn);
      this.page.prompts.next(withMask(draft, mask, since));
    } catch (failure) {
      this.page.fail(failure);
    }
  }

  keepLargestPart() {
    this.apply(largestPart, TEXT.alreadyOnePart);
  }

  fillHoles() {
    this.apply(withoutHoles, TEXT.noHoles);
  }

  // changes the mask of the draft, or else of every selected object
  apply(change, nothing) {
    const { draft, selection } = this.state, { toasts, prompts, objects } = this.page;
    const answer = shownAnswer(draft);
    if (answer) {
      const mask = change(answer.mask);
      return mask === answer.mask ? toasts.show(nothing) : prompts.next(withMask(draft, mask, performance.now()));
    }
    if (!selection.length) return toasts.show(TEXT.noMaskToEdit);
    const changed = selection.map((object) => ({ object, mask: change(object.mask) })).filter(({ object, mask }) => mask !== object.mask);
    if (!changed.length) return toasts.show(nothing);
    objects.change(changed.map(({ object, mask }) => ({ id: object.id, before: object, after: drawnObject(object, mask) })));
  }

  // cuts the draft, the selected object, or whatever object the line goes through
  split(line) {
    const { draft, selectedObject, objects } = this.state, { toasts } = this.page;
    const others = (pieces, object) => pieces.slice(1).map((mask) => {
      const after = { ...drawnObject(object, mask), id: newId() };
      return { id: after.id, before: null, after };
    });
    if (draft.answer) {
      const pieces = cutAlong(draft.answer.mask, line);
      if (pieces.length < 2) return toasts.show(TEXT.notSplit);
      const object = { category: draft.editing ? draft.editing.category : this.state.category, score: null };
      return this.page.objects.acceptDraft({ ...draft, source: "edit" }, pieces[0], others(pieces, object));
    }
    for (const object of selectedObject ? [selectedObject] : [...objects].reverse()) {
      const pieces = cutAlong(object.mask, line);
      if (pieces.length < 2) continue;
      return this.page.objects.change([{ id: object.id, before: object, after: drawnObject(object, pieces[0]) }, ...others(pieces, object)]);
    }
    toasts.show(TEXT.notSplit);
  }
}

function distanceToEdge([x, y], [x0, y0], [x1, y1]) {
  const dx = x1 - x0, dy = y1 - y0, length = dx * dx + dy * dy;
  const t = length ? clamp(((x - x0) * dx + (y - y0) * dy) / length, 0, 1) : 0;
  return Math.hypot(x - x0 - t * dx, y - y0 - t * dy);
}
