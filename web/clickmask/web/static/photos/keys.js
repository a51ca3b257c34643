// @ts-check
// The keys of the page of photos.

import { shownAnswer } from "../shared/draft.js";
import { numberKeys } from "../shared/keys.js";

export function photoKeys(app, event) {
  return {
    ...numberKeys((number) => app.classes.chooseNumber(number)),
    Enter: () => app.objects.accept(), Tab: cycles(app, event) && (() => app.prompts.cycleRow(event.shiftKey ? -1 : 1)),
    a: () => app.step(-1), ArrowLeft: () => app.step(-1), d: () => app.step(1), ArrowRight: () => app.step(1), s: () => app.folder.skip(),
    c: () => app.useTool("click"), v: () => app.useTool("select"), b: () => app.useTool("brush"), e: () => app.useTool("eraser"),
    p: () => app.useTool("outline"), g: () => app.proposals.find(),
    ArrowUp: () => app.objects.selectNext(1), ArrowDown: () => app.objects.selectNext(-1),
    "[": () => app.maskEdit.resizeBrush(1 / 1.25), "]": () => app.maskEdit.resizeBrush(1.25),
  };
}

// Tab goes through the candidates while there are any, and else, or from a button, through the page.
function cycles(app, { target }) {
  const answer = shownAnswer(app.state.draft);
  return Boolean(answer && answer.iou) && (target === app.root || target === document.body);
}
