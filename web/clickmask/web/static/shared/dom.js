// @ts-check
// Small helpers to build and change the page.

import { ICONS } from "./icons.js";

/** @returns {HTMLElement} the first inside root that a selector fits; every page has it */
export function find(root, selector) {
  return root.querySelector(selector);
}

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, any>} properties
 * @param {any[]} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function make(tag, properties = {}, ...children) {
  const node = /** @type {any} */ (document.createElement(tag));
  for (const [key, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (key === "class") node.className = value;
    else if (key === "style") node.style.cssText = value;
    else if (key in node && key !== "list") node[key] = value;
    else node.setAttribute(key, value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

// a small button that shows only an icon
export function iconButton(name, title, run, properties = {}) {
  const button = make("button", { type: "button", class: "cm-quiet", title, "aria-label": title, onclick: run, ...properties }, icon(name));
  button.dataset.do = name;
  return button;
}

// a bar that fills; set(done, total) says how far
export function meter(words, properties = {}) {
  const bar = make("i");
  const node = make("div", { class: "cm-meter", role: "progressbar", "aria-label": words, ...properties }, bar);
  const set = (done, total) => {
    bar.style.width = `${total ? 100 * done / total : 0}%`;
    node.setAttribute("aria-valuenow", done);
    node.setAttribute("aria-valuemax", total);
  };
  return { node, set };
}

export function replaceChildren(node, ...children) {
  node.replaceChildren(...children.flat(Infinity).filter(Boolean));
}

// the same, where most children are there already: what stays keeps the focus and its place in the scrolled list
export function keepChildren(node, children) {
  const wanted = new Set(children);
  for (const child of [...node.children]) if (!wanted.has(child)) child.remove();
  children.forEach((child, i) => { if (node.children[i] !== child) node.insertBefore(child, node.children[i] || null); });
}

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "cm-icon");
  svg.setAttribute("aria-hidden", "true");
  svg.innerHTML = ICONS[name];
  return svg;
}
