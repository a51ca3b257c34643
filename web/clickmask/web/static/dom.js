// Small helpers to build and change the page.

function make(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
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
function iconButton(name, title, run, properties = {}) {
  const button = make("button", { type: "button", class: "cm-quiet", title, "aria-label": title, onclick: run, ...properties }, icon(name));
  button.dataset.do = name;
  return button;
}

// a bar that fills; set(done, total) says how far
function meter(words, properties = {}) {
  const bar = make("i");
  const node = make("div", { class: "cm-meter", role: "progressbar", "aria-label": words, ...properties }, bar);
  const set = (done, total) => {
    bar.style.width = `${total ? 100 * done / total : 0}%`;
    node.setAttribute("aria-valuenow", done);
    node.setAttribute("aria-valuemax", total);
  };
  return { node, set };
}

function replaceChildren(node, ...children) {
  node.replaceChildren(...children.flat(Infinity).filter(Boolean));
}

// the same, where most children are there already: what stays keeps the focus and its place in the scrolled list
function keepChildren(node, children) {
  const wanted = new Set(children);
  for (const child of [...node.children]) if (!wanted.has(child)) child.remove();
  children.forEach((child, i) => { if (node.children[i] !== child) node.insertBefore(child, node.children[i] || null); });
}

function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "cm-icon");
  svg.setAttribute("aria-hidden", "true");
  svg.innerHTML = ICONS[name];
  return svg;
}

const ICONS = {
  click: '<circle cx="12" cy="12" r="3"/><path d="M12 2v5M12 17v5M2 12h5M17 12h5"/>',
  select: '<path d="M5 3l14 8-6 1.6L10 19z"/>',
  brush: '<path d="M20 4L10 14M7 13c-3 0-2 5-5 6 3 2 9 1 9-3 0-2-2-3-4-3z"/>',
  eraser: '<path d="M4 15l9-9a2 2 0 013 0l4 4a2 2 0 010 3l-7 7H8zM9 10l7 7M8 20h12"/>',
  outline: '<path d="M6 7l11-2 3 11-12 4z"/><circle cx="6" cy="7" r="1.8"/><circle cx="17" cy="5" r="1.8"/><circle cx="20" cy="16" r="1.8"/><circle cx="8" cy="20" r="1.8"/>',
  undo: '<path d="M9 7L4 12l5 5M4 12h10a6 6 0 010 8h-2"/>',
  redo: '<path d="M15 7l5 5-5 5M20 12H10a6 6 0 000 8h2"/>',
  fit: '<path d="M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5"/>',
  everything: '<path d="M12 3l1.8 5.2L19 10l-5.2 1.8L12 17l-1.8-5.2L5 10l5.2-1.8zM19 16l.8 2.2L22 19l-2.2.8L19 22l-.8-2.2L16 19l2.2-.8z"/>',
  export: '<path d="M12 15V3M7 8l5-5 5 5M4 15v5h16v-5"/>',
  import: '<path d="M12 3v12M7 10l5 5 5-5M4 15v5h16v-5"/>',
  folder: '<path d="M3 6h6l2 2h10v11H3z"/>',
  upload: '<path d="M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M12 5"/><circle cx="15.500" cy="9" r="1.500"/>',
  theme: '<path d="M20 14A8 8 0 1110 4a6.500 6.500 0 0010 10z"/>',
  help: '<path d="M9 9a3 3 0 116 0c0 2-3 2-3 5M12 18v.5"/><circle cx="12" cy="12" r="10"/>',
  eye: '<path d="M2 12s4-7 10-7 10 7 10 7-4 7-10 7S2 12 2 12z"/><circle cx="12" cy="12" r="3"/>',
  hidden: '<path d="M2 12s4-7 10-7 10 7 10 7-4 7-10 7S2 12 2 12zM4 20L20 4"/>',
  pencil: '<path d="M4 20l1-5L16 4l4 4L9 19z"/>',
  bin: '<path d="M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13M10 11v5M14 11v5"/>',
  plus: '<path d="M12 5v14M5 12h14"/>',
  minus: '<path d="M5 12h14"/>',
  close: '<path d="M6 6l12 12M18 6L6 18"/>',
  check: '<path d="M5 13l4 4L19 7"/>',
  left: '<path d="M15 5l-7 7 7 7"/>',
  right: '<path d="M9 5l7 7-7 7"/>',
  skip: '<path d="M5 5l8 7-8 7zM18 5v14"/>',
  more: '<circle cx="5" cy="12" r="1.500"/><circle cx="12" cy="12" r="1.500"/><circle cx="19" cy="12" r="1.500"/>',
  images: '<path d="M3 5h14v14H3zM20 8v13H7M3 16l4-4 4 4 2-2 4 4"/>',
  list: '<path d="M8 6h13M8 12h13M8 18h13M3 6h.01M3 12h.01M3 18h.01"/>',
};
