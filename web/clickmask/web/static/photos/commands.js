// @ts-check
// What the page of photos does at a key.

import { commonCommands, numberCommands } from "../shared/commands.js";
import { shownAnswer } from "../shared/draft.js";

/** @param {import("./app.js").PhotoApp} page @returns {import("../shared/keymap.js").Command[]} */
export function photoCommands(page) {
  const tool = (name, key) => ({ id: name, keys: [key], run: () => page.useTool(name) });
  return [
    { id: "accept", keys: ["enter"], run: () => page.accept() },
    { id: "nextCandidate", keys: ["tab"], run: () => page.prompts.cycleRow(1), when: (event) => hasCandidates(page, event) },
    { id: "previousCandidate", keys: ["shift+tab"], run: () => page.prompts.cycleRow(-1), when: (event) => hasCandidates(page, event) },
    { id: "everything", keys: ["g"], run: () => page.proposals.find() },
    { id: "similar", keys: ["n"], run: () => page.similar.find() },
    { id: "similarAfter", keys: ["shift+n"], run: () => page.similar.askAfter() },
    tool("click", "c"), tool("select", "v"), tool("brush", "b"), tool("eraser", "e"), tool("outline", "p"), tool("polygon", "l"), tool("split", "k"),
    { id: "smaller", keys: ["["], run: () => page.maskEdit.resizeBrush(1 / 1.25) },
    { id: "larger", keys: ["]"], run: () => page.maskEdit.resizeBrush(1.25) },
    { id: "largestPart", keys: ["i"], run: () => page.maskEdit.keepLargestPart() },
    { id: "fillHoles", keys: ["u"], run: () => page.maskEdit.fillHoles() },
    { id: "merge", keys: ["j"], run: () => page.objects.mergeSelected() },
    { id: "cutOut", keys: ["o"], run: () => page.objects.cutOutOfOthers() },
    { id: "copy", keys: ["ctrl+c"], run: () => page.clipboard.copy() },
    { id: "paste", keys: ["ctrl+v"], run: () => page.clipboard.paste() },
    { id: "pasteLast", keys: ["ctrl+shift+v"], run: () => page.clipboard.pasteLast() },
    { id: "propagate", keys: ["t"], run: () => page.propagation.ask() },
    { id: "above", keys: ["arrowup"], run: () => page.objects.selectNext(1) },
    { id: "below", keys: ["arrowdown"], run: () => page.objects.selectNext(-1) },
    { id: "findClass", keys: ["q"], run: () => page.classes.find() },
    ...numberCommands((number) => page.classes.chooseNumber(number)),
    { id: "next", keys: ["d", "arrowright"], run: () => page.step(1) },
    { id: "previous", keys: ["a", "arrowleft"], run: () => page.step(-1) },
    { id: "done", keys: ["w"], run: () => page.folder.finish() },
    { id: "skip", keys: ["s"], run: () => page.folder.skip() },
    { id: "review", keys: ["r"], run: () => page.review.toggle() },
    { id: "search", keys: ["/", "ctrl+f"], run: () => page.panels.pictures.focusSearch() },
    { id: "pan", keys: [" "], run: () => page.spaceDown() },
    ...commonCommands(page),
  ];
}

// Tab goes through the candidates while there are any, and else, or from a button, through the page.
function hasCandidates(page, { target }) {
  const answer = shownAnswer(page.state.draft);
  return Boolean(answer && answer.iou) && (target === page.root || target === document.body);
}
