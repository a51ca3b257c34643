// @ts-check
// What both pages do at a key.

/** @returns {import("./keymap.js").Command[]} */
export function commonCommands(page) {
  return [
    { id: "undo", keys: ["ctrl+z"], run: () => page.history.undo() },
    { id: "redo", keys: ["ctrl+shift+z", "ctrl+y"], run: () => page.history.redo() },
    { id: "save", keys: ["ctrl+s"], run: () => page.saveNow() },
    { id: "swap", keys: ["x"], run: () => page.swap() },
    { id: "masks", keys: ["h"], run: () => page.toggleMasks() },
    { id: "remove", keys: ["delete", "backspace"], run: () => page.removeKey() },
    { id: "zoomIn", keys: ["+", "="], run: () => page.zoomBy(1.4) },
    { id: "zoomOut", keys: ["-"], run: () => page.zoomBy(1 / 1.4) },
    { id: "fit", keys: ["f", "0"], run: () => page.fit() },
    { id: "escape", keys: ["escape"], run: () => page.escape() },
    { id: "help", keys: ["?"], run: () => page.help() },
  ];
}

export function numberCommands(run) {
  return [1, 2, 3, 4, 5, 6, 7, 8, 9].map((number) => ({ id: `number${number}`, keys: [String(number)], run: () => run(number) }));
}
