// @ts-check
// The object being made: what was pointed at, and the newest mask. A draft is never changed by a gesture;
// every gesture makes the next one, which is what undo goes back through.

let draftNumber = 0;

export function newDraft(fields = {}) {
  return {
    number: ++draftNumber, // answers carry it, so newer ones win
    points: [], // [x, y, positive]
    box: null, // [x0, y0, x1, y1]
    view: null, // the part of the picture that was on the screen, [x0, y0, x1, y1]; null for all of it
    base: null, // a mask that was drawn or loaded, sent along as a prompt
    rowBefore: null, // the candidate that was picked before the last mark
    row: null, // the candidate a person picked, null for the rule's choice
    answer: null, // {mask, iou, stability, chosen, ...}
    interim: null, // the newest older answer, shown while waiting
    editing: null, // the accepted object being refined
    source: "click",
    since: 0, // time of the gesture, to measure how long the answer took
    ...fields,
  };
}

export function hasPrompt(draft) {
  return draft.points.length > 0 || draft.box !== null;
}

export function isEmptyDraft(draft) {
  return !hasPrompt(draft) && !draft.answer && !draft.editing;
}

export function shownAnswer(draft) {
  return draft.answer || draft.interim;
}

// the next draft after a prompt changed: its mask is unknown, the last one stays in sight
export function withPrompt(draft, change) {
  return newDraft({
    points: draft.points, box: draft.box, view: draft.view, base: draft.base, editing: draft.editing, source: draft.source,
    rowBefore: "row" in change ? draft.rowBefore : draft.row, interim: shownAnswer(draft), ...change,
  });
}

// the next draft after a person drew: its mask is known, and goes along with later clicks
export function withMask(draft, mask, since) {
  return newDraft({
    points: draft.points, box: draft.box, view: draft.view, base: mask, editing: draft.editing, source: "edit", since,
    answer: { mask, iou: null, stability: null, chosen: null, number: draftNumber + 1 },
  });
}

export function promptsOf(draft) {
  return { points: draft.points, box: draft.box, row: draft.row };
}

export function draftOfObject(object) {
  const drawn = object.source !== "click";
  const prompts = drawn ? {} : object.prompts;
  return newDraft({
    points: prompts.points || [], box: prompts.box || null, row: prompts.row ?? null, editing: object,
    base: drawn ? object.mask : null, source: object.source,
    answer: { mask: object.mask, iou: null, stability: null, chosen: null, number: draftNumber + 1 },
  });
}
