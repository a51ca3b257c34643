// Accepting, selecting, relabeling and deleting objects; every change is saved and can be undone. (Part of App.)

const Labeling = {
  accept() {
    const { state } = this;
    if (isEmptyDraft(state.draft)) return this.acceptSelected();
    const draft = state.draft;
    if (!draft.answer || this.asking.asks(draft)) return this.acceptSoon(draft);
    if (!draft.answer.mask.area) return this.toasts.show(TEXT.emptyMask, "error");
    const before = draft.editing;
    const object = {
      id: before ? before.id : newId(), category: before ? before.category : state.category, mask: draft.answer.mask,
      prompts: promptsOf(draft), score: draft.answer.iou ? draft.answer.iou[draft.answer.chosen] : null, source: draft.source,
    };
    this.change([{ id: object.id, before, after: object }], draft, newDraft());
  },

  // Enter before the mask arrived, or its edges: accept as soon as they are there
  acceptSoon(draft) {
    if (this.acceptTimer) return;
    this.acceptTimer = setInterval(() => {
      if (this.state.draft === draft && (!draft.answer || this.asking.asks(draft))) return;
      clearInterval(this.acceptTimer);
      this.acceptTimer = null;
      if (this.state.draft === draft) this.accept();
    }, 15);
  },

  acceptSelected() {
    const object = this.state.selectedObject;
    if (object) this.refine(object);
    else this.toasts.show(TEXT.nothingToAccept);
  },

  // one undoable step that changes objects and the draft together
  change(changes, draftBefore = this.state.draft, draftAfter = draftBefore) {
    const picture = this.state.picture.id;
    const back = changes.map(({ id, before, after }) => ({ id, before: after, after: before }));
    this.steps.add({
      undo: () => { this.apply(picture, back); this.setDraft(draftBefore); },
      redo: () => { this.apply(picture, changes); this.setDraft(draftAfter); },
    });
    this.setDraft(draftAfter);
    this.apply(picture, changes);
  },

  apply(picture, changes) {
    const { state } = this;
    if (state.picture && state.picture.id === picture) state.objects = changedObjects(state.objects, changes);
    this.saving.write(picture, changes.map(({ id, before, after }) => ({ id, before: before && wired(before), after: after && wired(after) })));
    this.objectsChanged();
  },

  select(id) {
    const { state } = this;
    state.selected = id;
    this.objects.mark();
    this.objects.scrollTo(id);
    this.stage.refresh();
  },

  // the object above or below in the list, which begins with the newest
  selectNext(way) {
    const { objects, selected } = this.state;
    if (!objects.length) return;
    const at = objects.findIndex((object) => object.id === selected);
    this.select(objects[at < 0 ? objects.length - 1 : clamp(at + way, 0, objects.length - 1)].id);
  },

  selectAt(x, y) {
    const found = this.objectAt(x, y);
    this.select(found ? found.id : null);
  },

  objectAt(x, y) {
    const { objects, hiddenObjects } = this.state;
    return this.smallestAt(objects.filter((object) => !hiddenObjects.has(object.id)), x, y);
  },

  doubleClicked(x, y) {
    if (this.state.tool !== "select") return;
    const object = this.objectAt(x, y);
    if (object) this.refine(object);
  },

  // puts an accepted object back into the draft
  refine(object) {
    this.nextDraft(draftOfObject(object));
    this.select(null);
    if (this.state.tool === "select") this.useTool("click");
  },

  showObject(object) {
    this.stage.view.showBox(object.mask, this.stage.size);
    this.stage.moved();
    this.zoomed();
  },

  toggleObject(id) {
    const { hiddenObjects } = this.state;
    if (!hiddenObjects.delete(id)) hiddenObjects.add(id);
    this.objects.render();
    this.stage.refresh();
  },

  removeObject(id) {
    const object = this.state.objects.find((one) => one.id === id);
    if (!object) return;
    if (this.state.selected === id) this.state.selected = null;
    const { draft } = this.state;
    const edited = draft.editing && draft.editing.id === id;
    this.change([{ id, before: object, after: null }], draft, edited ? newDraft() : draft);
  },

  relabel(id, category) {
    const object = this.state.objects.find((one) => one.id === id);
    if (!object || object.category === category) return;
    const after = { ...object, category };
    const { draft } = this.state;
    const edited = draft.editing && draft.editing.id === id;
    this.change([{ id, before: object, after }], draft, edited ? { ...draft, editing: after } : draft);
  },

  objectsChanged() {
    const { state } = this;
    if (!state.objects.some((object) => object.id === state.selected)) state.selected = null;
    state.picture.object_count = state.objects.length;
    this.pictures.update(state.picture);
    this.objects.render();
    this.controls.render();
    this.stage.refresh();
  },

  // another tab was faster: what the server has now replaces what is shown
  merged(pictureId, labels, dropped) {
    this.toasts.show(dropped ? TEXT.conflictPlain : TEXT.merged, dropped ? "error" : "info");
    const { state } = this;
    if (!state.picture || state.picture.id !== pictureId) return;
    state.objects = labels.map(unwired);
    if (dropped) this.steps.clear();
    this.objectsChanged();
  },

  async undo() {
    if (!this.steps.done.length) await this.olderSteps();
    await this.shiftStep("undo", TEXT.nothingToUndo);
  },

  redo() {
    return this.shiftStep("redo", TEXT.nothingToRedo);
  },

  async shiftStep(way, nothing) {
    try {
      if (!await this.steps[way]()) this.toasts.show(nothing);
    } catch (failure) {
      this.fail(failure);
    }
  },

  // after a reload: what this picture's history on disk says, once
  async olderSteps() {
    const { picture, folder } = this.state;
    if (!picture || this.steps.askedOlder || this.steps.undone.length) return;
    this.steps.askedOlder = true;
    try {
      const { writes } = await this.call("history", { folder, picture: picture.id });
      this.steps.addOlder(writes.map((changes) => this.olderStep(picture.id, changes)));
    } catch (failure) {
      this.fail(failure);
    }
  },

  olderStep(picture, changes) {
    const there = changes.map(({ id, before, after }) => ({ id, before: before && unwired(before), after: after && unwired(after) }));
    const back = there.map(({ id, before, after }) => ({ id, before: after, after: before }));
    return { undo: () => this.apply(picture, back), redo: () => this.apply(picture, there) };
  },
};

function newId() {
  return [...crypto.getRandomValues(new Uint8Array(8))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function changedObjects(objects, changes) {
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
function wired(object) {
  const { mask, ...rest } = object;
  return { ...rest, runs: mask.text };
}

function unwired(object) {
  const { runs, ...rest } = object;
  return { ...rest, mask: Mask.fromText(runs) };
}
