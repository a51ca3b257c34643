// @ts-check
// What the video page does at a key.

import { commonCommands, numberCommands } from "../shared/commands.js";

/** @param {import("./app.js").VideoApp} page @returns {import("../shared/keymap.js").Command[]} */
export function videoCommands(page) {
  return [
    { id: "play", keys: [" "], run: (event) => page.spaceDown(event.repeat) },
    { id: "nextFrame", keys: ["d", "arrowright"], run: () => page.step(1) },
    { id: "previousFrame", keys: ["a", "arrowleft"], run: () => page.step(-1) },
    { id: "tenForward", keys: ["shift+d", "shift+arrowright"], run: () => page.step(10) },
    { id: "tenBack", keys: ["shift+a", "shift+arrowleft"], run: () => page.step(-10) },
    { id: "firstFrame", keys: ["home"], run: () => page.seek(0) },
    { id: "lastFrame", keys: ["end"], run: () => page.seek(Infinity) },
    { id: "nextPlace", keys: ["."], run: () => page.jump(1) },
    { id: "previousPlace", keys: [","], run: () => page.jump(-1) },
    { id: "track", keys: ["t"], run: () => page.tracking.begin("both") },
    { id: "trackBackward", keys: ["["], run: () => page.tracking.begin("backward") },
    { id: "trackForward", keys: ["]"], run: () => page.tracking.begin("forward") },
    { id: "newThing", keys: ["n"], run: () => page.objects.startNew() },
    { id: "absent", keys: ["m"], run: () => page.prompts.markAbsent() },
    { id: "rename", keys: ["r"], run: () => page.objects.rename() },
    ...numberCommands((number) => page.objects.selectNumber(number)),
    ...commonCommands(page),
  ];
}
