// @ts-check
// The keyboard. Keys work anywhere on the page except while text is typed or a dialog is open.

export function bindKeys(page, signal) {
  window.addEventListener("keydown", (event) => keyDown(page, event), { signal });
  window.addEventListener("keyup", (event) => { if (event.key === " ") page.spaceUp(); }, { signal });
}

function keyDown(page, event) {
  if (page.dialogs.isOpen || isTyping(event) || !page.root.isConnected || page.root.inert) return;
  const command = page.keymap.commandFor(event);
  if (!command) return;
  event.preventDefault();
  event.stopPropagation();
  command.run(event);
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
