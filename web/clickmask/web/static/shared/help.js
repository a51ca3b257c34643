// @ts-check
// The dialog of keys: what the pointer does, and every command with its key, which a click changes.

import { make, replaceChildren } from "./dom.js";
import { COMMANDS, TEXT } from "./strings.js";
import { strokeLabel, strokesOf } from "./strokes.js";

// groups: [[title, [[gesture, what] | command id, ...]], ...]
export function showHelp(page, groups) {
  const body = page.dialogs.open(TEXT.help, make("div", {}));
  const render = () => replaceChildren(body,
    make("p", { class: "cm-hint" }, TEXT.changeKeys, make("button", { type: "button", class: "cm-link", onclick: () => { page.keymap.reset(); changed(); } }, TEXT.resetKeys)),
    make("div", { class: "cm-help" }, groups.map(([title, rows]) => make("section", {}, make("h3", {}, title), make("dl", {}, rows.map(row))))));
  const changed = () => { page.controls.renderKeys(); render(); };
  const row = (entry) => Array.isArray(entry)
    ? [make("dt", {}, entry[0]), make("dd", {}, entry[1])]
    : [make("dt", {}, keyButton(entry)), make("dd", {}, COMMANDS[entry])];
  const keyButton = (id) => {
    const keys = page.keymap.keysOf(id).map((key) => make("kbd", {}, strokeLabel(key)));
    const button = make("button", { type: "button", class: "cm-key", "aria-label": TEXT.changeKey(COMMANDS[id]) }, keys.length ? keys : TEXT.noKey);
    button.addEventListener("click", () => listen(button, id));
    return button;
  };
  const listen = (button, id) => {
    button.textContent = TEXT.pressKey;
    button.addEventListener("blur", render, { once: true });
    button.addEventListener("keydown", (event) => {
      if (["Shift", "Control", "Alt", "Meta", "AltGraph"].includes(event.key)) return;
      event.preventDefault();
      event.stopPropagation();
      const [stroke] = strokesOf(event);
      if (!stroke || event.key === "Escape") return render();
      const loser = page.keymap.assign(id, stroke);
      if (loser) page.toasts.show(TEXT.keyTaken(strokeLabel(stroke), COMMANDS[loser.id]));
      changed();
    });
  };
  render();
}
