// @ts-check
// The dialog that finds a class by typing: arrows choose, Enter takes, a new name makes a new class.

import { make, replaceChildren } from "../shared/dom.js";
import { clamp } from "../shared/numbers.js";
import { TEXT } from "../shared/strings.js";

export function findClass(page) {
  const { categories } = page.state;
  const input = make("input", { class: "cm-input", "aria-label": TEXT.findClass, autocomplete: "off" });
  const list = make("div", { class: "cm-entries", role: "listbox" });
  let at = 0;
  const entries = () => {
    const wanted = input.value.trim().toLowerCase();
    const found = matching(categories, wanted).map((one) => ({ name: one.name, color: one.color, take: () => page.classes.choose(one.id) }));
    const isNew = wanted && !categories.some((one) => one.name.toLowerCase() === wanted);
    return isNew ? [...found, { name: TEXT.noClassLike(input.value.trim()), color: "transparent", take: () => page.classes.add([input.value.trim()]) }] : found;
  };
  const take = (entry) => { page.dialogs.close(); entry.take(); };
  const render = () => {
    const shown = entries();
    at = clamp(at, 0, Math.max(0, shown.length - 1));
    replaceChildren(list, shown.map((entry, i) => make("button", {
      type: "button", class: "cm-entry", role: "option", tabIndex: -1, "aria-selected": String(i === at), onclick: () => take(entry),
    }, make("i", { class: "cm-swatch", style: `background:${entry.color}` }), entry.name)));
    const current = list.children[at];
    if (current) current.scrollIntoView({ block: "nearest" });
  };
  input.addEventListener("input", () => { at = 0; render(); });
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      at += event.key === "ArrowDown" ? 1 : -1;
      render();
    } else if (event.key === "Enter") {
      event.preventDefault();
      const entry = entries()[at];
      if (entry) take(entry);
    }
  });
  page.dialogs.open(TEXT.findClass, make("div", { class: "cm-form" }, input, list));
  render();
  input.focus();
}

// those that begin with what was typed, then those that have it inside
function matching(categories, wanted) {
  const place = ({ name }) => name.toLowerCase().indexOf(wanted);
  return categories.filter((one) => place(one) >= 0).sort((one, other) => Number(place(one) > 0) - Number(place(other) > 0));
}
