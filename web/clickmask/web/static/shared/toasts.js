// @ts-check
// Short messages in the corner. Errors stay longer.

import { iconButton, make } from "./dom.js";
import { TEXT } from "./strings.js";

const TOAST_MS = { info: 3500, good: 3000, error: 12000 };

export class Toasts {
  constructor(element) {
    this.element = element;
  }

  show(text, kind = "info", action = null) {
    const twin = [...this.element.children].find((node) => node.dataset.text === text);
    if (twin) twin.remove();
    const close = iconButton("close", TEXT.close, () => node.remove());
    const node = make("div", { class: `cm-toast cm-${kind}`, role: kind === "error" && "alert" }, make("span", {}, text), action, close);
    node.dataset.text = text;
    this.element.append(node);
    while (this.element.children.length > 4) this.element.firstChild.remove();
    setTimeout(() => node.remove(), TOAST_MS[kind]);
  }
}
