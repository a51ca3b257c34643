// @ts-check
// Accepting, selecting, relabeling and deleting objects; every change is saved and can be undone.

import { draftOfObject, isEmptyDraft, newDraft, promptsOf } from "../shared/draft.js";
import { Mask } from "../shared/mask.js";
import { clamp } from "../shared/numbers.js";
import { smallestAt } from "../shared/pointer.js";
import { TEXT } from "../shared/strings.js";

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
    const object = objectOfDraft(draft, this.state.category);
    this.change([{ id: object.id, before: draft.editing, after: object }], draft, newDraft());
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

  // one undoable step that changes objects and the draft together
  change(changes, draftBefore = this.state.draft, draftAfter = draftBefore) {
    const picture = this.state.picture.id;
    const { prompts, history } = this.page;
    const back = changes.map(({ id, before, after }) => ({ id, before: after, after: before }));
    history.add({
      undo: () => { this.apply(picture, back); prompts.set(draftBefore); },
      redo: () => { this.apply(picture, changes); prompts.set(draftAfter); },
    });
    prompts.set(draftAfter);
    this.apply(picture, changes);
  }

  apply(picture, changes) {
    const { state } = this;
    if (state.picture && state.picture.id === picture) state.objects = changedObjects(state.objects, changes);
    this.page.saving.write(picture, changes.map(({ id, before, after }) => ({ id, before: before && forServer(before), after: after && forServer(after) })));
    this.changed();
  }

  select(id) {
    this.state.selected = id;
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

  selectAt(x, y) {
    const found = this.objectAt(x, y);
    this.select(found ? found.id : null);
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
    const { draft, selected } = this.state;
    const id = draft.editing ? draft.editing.id : selected;
    if (id) this.remove(id);
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
    state.picture.object_count = state.objects.length;
    page.panels.pictures.update(state.picture);
    page.panels.objects.render();
    page.controls.render();
    page.stage.refresh();
  }

  // another tab was faster: what the server has now replaces what is shown
  merged(pictureId, labels, dropped) {
    this.page.toasts.show(dropped ? TEXT.conflictPlain : TEXT.merged, dropped ? "error" : "info");
    const { state } = this;
    if (!state.picture || state.picture.id !== pictureId) return;
    state.objects = labels.map(fromServer);
    if (dropped) this.page.history.clear();
    this.changed();
  }
}

function objectOfDraft(draft, category) {
  const before = draft.editing, { answer } = draft;
  return {
    id: before ? before.id : newId(), category: before ? before.category : category, mask: answer.mask,
    prompts: promptsOf(draft), score: answer.iou ? answer.iou[answer.chosen] : null, source: draft.source,
  };
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
