// @ts-check
// Changing a mask by hand: brush, eraser, outline.

import { isEmptyDraft, shownAnswer, withMask } from "../shared/draft.js";
import { Mask } from "../shared/mask.js";
import { clamp } from "../shared/numbers.js";
import { RequestQueue } from "../shared/request_queue.js";
import { TEXT } from "../shared/strings.js";
import { keepSettings } from "./state.js";
import { paintedMask } from "./stroke.js";

const NEEDS_MASK = ["eraser", "outline"];

export class MaskEdit {
  /** @param {import("./app.js").PhotoApp} page */
  constructor(page) {
    this.page = page;
    this.outlines = new RequestQueue((q) => page.call("outline", q), (q, answer) => this.outlineAnswered(q, answer), (_q, failure) => page.fail(failure));
    this.outlined = null; // mask and detail of the rings on the screen
    this.dragged = null; // where the vertex under the pointer is
  }

  get state() {
    return this.page.state;
  }

  get stage() {
    return this.page.stage;
  }

  // a selected object becomes the draft before it is changed
  prepare(tool) {
    if (tool === "brush" || NEEDS_MASK.includes(tool)) this.takeSelected();
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

  moveVertex([ring, index], at) {
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

  // the mask inside the rings on the screen
  async takeVertices(since) {
    const { folder, picture, draft } = this.state;
    const rings = this.stage.vertices;
    try {
      const { runs } = await this.page.call("fill", { folder, picture: picture.id, rings });
      if (this.state.draft !== draft) return;
      const mask = Mask.fromText(runs);
      this.outlined = `${mask.text}:${this.state.minIou}`; // the rings on screen are the outline of this mask
      this.page.panels.settings.showOutline(TEXT.points(rings.reduce((sum, ring) => sum + ring.length / 2, 0), 1));
      this.page.prompts.next(withMask(draft, mask, since));
    } catch (failure) {
      this.page.fail(failure);
    }
  }
}
