// @ts-check
// The keyboard. Keys work anywhere on the page except while text is typed or a dialog is open.

// keys(app, event): what a page does at a key, by key
export function bindKeys(app, signal, keys) {
  window.addEventListener("keydown", (event) => keyDown(app, event, keys), { signal });
  window.addEventListener("keyup", (event) => { if (event.key === " ") app.spaceUp(); }, { signal });
}

function keyDown(app, event, keys) {
  if (app.dialogs.isOpen || isTyping(event) || event.altKey || !app.root.isConnected || app.root.inert) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const run = event.ctrlKey || event.metaKey ? withControl(app, event)[key] : { ...commonKeys(app, event), ...keys(app, event) }[key];
  if (!run) return;
  event.preventDefault();
  event.stopPropagation();
  run();
}

// Whether the key belongs to the control that has the focus.
/** @param {any} event */
function isTyping({ target, key }) {
  if (!target.closest) return false;
  if (target.type === "range") return key.startsWith("Arrow");
  if (target.tagName === "SELECT") return true;
  if (key === "Enter" || key === " ") return Boolean(target.closest("button, a, input"));
  const quiet = ["checkbox", "color", "button"];
  return target.isContentEditable || target.tagName === "TEXTAREA" || (target.tagName === "INPUT" && !quiet.includes(target.type));
}

function withControl(app, event) {
  return { z: () => event.shiftKey ? app.history.redo() : app.history.undo(), y: () => app.history.redo(), s: () => app.saveNow() };
}

function commonKeys(app, event) {
  return {
    " ": () => app.spaceDown(event.repeat), h: () => app.toggleMasks(), x: () => app.swap(),
    f: () => app.fit(), 0: () => app.fit(), "+": () => app.zoomBy(1.4), "=": () => app.zoomBy(1.4), "-": () => app.zoomBy(1 / 1.4),
    "?": () => app.help(), Escape: () => app.escape(), Delete: () => app.objects.removeSelected(), Backspace: () => app.objects.removeSelected(),
  };
}

export function numberKeys(run) {
  return Object.fromEntries([1, 2, 3, 4, 5, 6, 7, 8, 9].map((number) => [number, () => run(number)]));
}
