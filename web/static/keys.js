// The keyboard. Keys work anywhere on the page except while text is typed or a dialog is open.

function bindKeys(app, signal) {
  window.addEventListener("keydown", (event) => keyDown(app, event), { signal });
  window.addEventListener("keyup", (event) => { if (event.key === " ") app.holdSpace(false); }, { signal });
}

function keyDown(app, event) {
  if (app.dialogs.isOpen || isTyping(event) || event.altKey || !app.root.isConnected || app.root.inert) return;
  const run = event.ctrlKey || event.metaKey ? withControl(app, event) : plain(app, event);
  if (!run) return;
  event.preventDefault();
  event.stopPropagation();
  run();
}

// Whether the key belongs to the control that has the focus.
function isTyping({ target, key }) {
  if (!(target instanceof HTMLElement)) return false;
  if (target.type === "range") return key.startsWith("Arrow");
  if (target.tagName === "SELECT") return true;
  if (key === "Enter" || key === " ") return Boolean(target.closest("button, a, input"));
  const quiet = ["checkbox", "color", "button"];
  return target.isContentEditable || target.tagName === "TEXTAREA" || (target.tagName === "INPUT" && !quiet.includes(target.type));
}

function withControl(app, event) {
  const key = event.key.toLowerCase();
  if (key === "z") return event.shiftKey ? () => app.redo() : () => app.undo();
  if (key === "y") return () => app.redo();
  if (key === "s") return () => app.saving.run();
  return null;
}

function plain(app, event) {
  if (event.key === "Tab" && !cycles(app, event)) return null;
  if (event.key >= "1" && event.key <= "9") return () => app.chooseClassNumber(Number(event.key));
  const actions = {
    Enter: () => app.accept(), Escape: () => app.clear(), Tab: () => app.cycleRow(event.shiftKey ? -1 : 1), " ": () => app.holdSpace(true),
    a: () => app.step(-1), ArrowLeft: () => app.step(-1), d: () => app.step(1), ArrowRight: () => app.step(1), s: () => app.skip(),
    c: () => app.useTool("click"), v: () => app.useTool("select"), b: () => app.useTool("brush"), e: () => app.useTool("eraser"),
    p: () => app.useTool("outline"), x: () => app.swap(), g: () => app.segmentEverything(), h: () => app.toggleMasks(),
    f: () => app.fit(), 0: () => app.fit(), "+": () => app.zoomBy(1.4), "=": () => app.zoomBy(1.4), "-": () => app.zoomBy(1 / 1.4),
    ArrowUp: () => app.selectNext(1), ArrowDown: () => app.selectNext(-1),
    "[": () => app.resizeBrush(1 / 1.25), "]": () => app.resizeBrush(1.25), "?": () => app.dialogs.help(),
    Delete: () => app.removeSelected(), Backspace: () => app.removeSelected(),
  };
  return actions[event.key.length === 1 ? event.key.toLowerCase() : event.key];
}

// Tab goes through the candidates while there are any, and else, or from a button, through the page.
function cycles(app, { target }) {
  const answer = shownAnswer(app.state.draft);
  return Boolean(answer && answer.iou) && (target === app.root || target === document.body);
}
