// @ts-check
// Accepting, selecting, relabeling and deleting objects; every change is saved and can be undone.

import { draftOfObject, isEmptyDraft, newDraft, promptsOf } from "../shared/draft.js";
import { Mask } from "../shared/mask.js";
import { minus, union } from "../shared/mask_ops.js";
import { clamp } from "../shared/numbers.js";
import { smallestAt } from "../shared/pointer.js";
import { TEXT } from "../shared/strings.js";
import { factsOf } from "./picture_filter.js";

export class Objects {
  /** @param {import("./app.js").PhotoApp} page */
  constructor(page) {
    this.page = page;
    this.acceptTimer = null;
  }

  get state() {
    return this.page.state;
  }

  accept() {
    const { draft } = this.state;
    if (isEmptyDraft(draft)) return this.openSelected();
    if (!draft.answer || this.page.prompts.isWaiting) return this.acceptSoon(draft);
    if (!draft.answer.mask.area) return this.page.toasts.show(TEXT.emptyMask, "error");
    this.acceptDraft(draft);
    if (this.page.review.isOn) this.page.review.show();
  }

  // with what else changes in the same step
  acceptDraft(draft, mask = draft.answer.mask, others = []) {
    const object = { ...objectOfDraft(draft, this.state.category), mask };
    this.change([{ id: object.id, before: draft.editing, after: object }, ...others], draft, newDraft());
  }

  // Enter before the mask arrived, or its edges: accept as soon as they are there
  acceptSoon(draft) {
    if (this.acceptTimer) return;
    this.acceptTimer = setInterval(() => {
      if (this.state.draft === draft && (!draft.answer || this.page.prompts.isWaiting)) return;
      clearInterval(this.acceptTimer);
      this.acceptTimer = null;
      if (this.state.draft === draft) this.accept();
    }, 15);
  }

  openSelected() {
    const object = this.state.selectedObject;
    if (object) this.refine(object);
    else this.page.toasts.show(TEXT.nothingToAccept);
  }

  // one undoable step that changes objects and the draft together; more: what else the step does
  change(changes, draftBefore = this.state.draft, draftAfter = draftBefore, more = { undo() {}, redo() {} }) {
    const picture = this.state.picture.id;
    const { prompts, history } = this.page;
    const back = changes.map(({ id, before, after }) => ({ id, before: after, after: before }));
    history.add({
      undo: () => { this.apply(picture, back); prompts.set(draftBefore); more.undo(); },
      redo: () => { this.apply(picture, changes); prompts.set(draftAfter); more.redo(); },
    });
    prompts.set(draftAfter);
    this.apply(picture, changes);
  }

  apply(picture, changes) {
    const { state } = this;
    if (state.picture && state.picture.id === picture) state.objects = changedObjects(state.objects, changes);
    this.page.saving.write(state.folder, picture, changes.map(({ id, before, after }) => ({ id, before: before && forServer(before), after: after && forServer(after) })));
    this.changed();
  }

  // adds: beside those that are selected already
  select(id, adds = false) {
    const { state } = this;
    if (!adds) state.alsoSelected.clear();
    else if (state.selected !== null && state.selected !== id) state.alsoSelected.add(state.selected);
    state.alsoSelected.delete(id);
    state.selected = id;
    this.page.panels.objects.mark();
    this.page.panels.objects.scrollTo(id);
    this.page.stage.refresh();
  }

  // the object above or below in the list, which begins with the newest
  selectNext(way) {
    const { objects, selected } = this.state;
    if (!objects.length) return;
    const at = objects.findIndex((object) => object.id === selected);
    this.select(objects[at < 0 ? objects.length - 1 : clamp(at + way, 0, objects.length - 1)].id);
  }

  selectAt(x, y, adds = false) {
    const found = this.objectAt(x, y);
    if (found || !adds) this.select(found ? found.id : null, adds);
  }

  objectAt(x, y) {
    const { objects, hiddenObjects } = this.state;
    return smallestAt(objects.filter((object) => !hiddenObjects.has(object.id)), x, y);
  }

  // puts an accepted object back into the draft
  refine(object) {
    this.page.prompts.next(draftOfObject(object));
    this.select(null);
    if (this.state.tool === "select") this.page.useTool("click");
  }

  show(object) {
    this.page.stage.view.showBox(object.mask, this.page.stage.size);
    this.page.stage.moved();
    this.page.zoomed();
  }

  toggle(id) {
    const { hiddenObjects } = this.state;
    if (!hiddenObjects.delete(id)) hiddenObjects.add(id);
    this.page.panels.objects.render();
    this.page.stage.refresh();
  }

  removeSelected() {
    const { draft, selection } = this.state;
    if (draft.editing) return this.remove(draft.editing.id);
    if (selection.length === 1) return this.remove(selection[0].id);
    if (selection.length) this.change(selection.map((object) => ({ id: object.id, before: object, after: null })));
  }

  // the largest keeps its class, and takes in the others
  mergeSelected() {
    const selection = [...this.state.selection].sort((one, other) => other.mask.area - one.mask.area);
    if (selection.length < 2) return this.page.toasts.show(TEXT.selectTwo);
    const [first, ...rest] = selection;
    const after = drawnObject(first, union(...selection.map(({ mask }) => mask)));
    this.change([{ id: first.id, before: first, after }, ...rest.map((object) => ({ id: object.id, before: object, after: null }))]);
    this.select(first.id);
  }

  // no pixel of the draft or the selected object belongs to another object any more
  cutOutOfOthers() {
    const { draft, selectedObject } = this.state;
    const isDraft = !isEmptyDraft(draft) && draft.answer && draft.answer.mask.area > 0;
    if (!isDraft && !selectedObject) return this.page.toasts.show(TEXT.selectOne);
    const mask = isDraft ? draft.answer.mask : selectedObject.mask;
    const own = isDraft ? draft.editing && draft.editing.id : selectedObject.id;
    const changes = this.state.objects.filter(({ id }) => id !== own).map((object) => ({ object, rest: minus(object.mask, mask) }))
      .filter(({ object, rest }) => rest.area < object.mask.area)
      .map(({ object, rest }) => ({ id: object.id, before: object, after: rest.area ? drawnObject(object, rest) : null }));
    if (isDraft) this.acceptDraft(draft, mask, changes);
    else if (changes.length) this.change(changes);
    else this.page.toasts.show(TEXT.nothingShared);
  }

  remove(id) {
    const object = this.state.objects.find((one) => one.id === id);
    if (!object) return;
    if (this.state.selected === id) this.state.selected = null;
    const { draft } = this.state;
    const edited = draft.editing && draft.editing.id === id;
    this.change([{ id, before: object, after: null }], draft, edited ? newDraft() : draft);
  }

  relabel(id, category) {
    const object = this.state.objects.find((one) => one.id === id);
    if (!object || object.category === category) return;
    const after = { ...object, category };
    const { draft } = this.state;
    const edited = draft.editing && draft.editing.id === id;
    this.change([{ id, before: object, after }], draft, edited ? { ...draft, editing: after } : draft);
  }

  changed() {
    const { state, page } = this;
    if (!state.objects.some((object) => object.id === state.selected)) state.selected = null;
    for (const id of state.alsoSelected) if (!state.objects.some((object) => object.id === id)) state.alsoSelected.delete(id);
    Object.assign(state.picture, factsOf(state.objects));
    page.panels.pictures.update(state.picture);
    page.panels.objects.render();
    page.controls.render();
    page.stage.refresh();
  }

  // another tab was faster: what the server has now replaces what is shown
  merged(folder, pictureId, labels, dropped) {
    this.page.toasts.show(dropped ? TEXT.conflictPlain : TEXT.merged, dropped ? "error" : "info");
    const { state } = this;
    if (state.folder !== folder || !state.picture || state.picture.id !== pictureId) return;
    state.objects = labels.map(fromServer);
    if (dropped) this.page.history.clear();
    this.changed();
  }
}

function objectOfDraft(draft, category) {
  const before = draft.editing, { answer } = draft;
  return {
    ...before, id: before ? before.id : newId(), category: before ? before.category : category, mask: answer.mask,
    prompts: promptsOf(draft), score: answer.iou ? answer.iou[answer.chosen] : null, source: draft.source,
  };
}

// an object whose mask was changed by hand: the prompts that made it no longer tell its mask
export function drawnObject(object, mask) {
  return { ...object, mask, prompts: {}, source: "edit" };
}

export function newId() {
  return [...crypto.getRandomValues(new Uint8Array(8))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function changedObjects(objects, changes) {
  let kept = [...objects];
  for (const { id, after } of changes) {
    const at = kept.findIndex((object) => object.id === id);
    if (!after) kept = kept.filter((object) => object.id !== id);
    else if (at >= 0) kept[at] = after;
    else kept.push(after);
  }
  return kept;
}

// between objects of the page and objects of the server
function forServer(object) {
  const { mask, ...rest } = object;
  return { ...rest, runs: mask.text };
}

export function fromServer(object) {
  const { runs, ...rest } = object;
  return { ...rest, mask: Mask.fromText(runs) };
}
