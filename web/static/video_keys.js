// The keyboard of the video page.

function bindVideoKeys(app, signal) {
  window.addEventListener("keydown", (event) => videoKeyDown(app, event), { signal });
  window.addEventListener("keyup", (event) => { if (event.key === " ") app.spaceUp(); }, { signal });
}

function videoKeyDown(app, event) {
  if (app.dialogs.isOpen || isTyping(event) || event.altKey || !app.root.isConnected) return;
  const run = event.ctrlKey || event.metaKey ? videoControlKey(app, event) : videoKey(app, event);
  if (!run) return;
  event.preventDefault();
  event.stopPropagation();
  run();
}

function videoControlKey(app, event) {
  const key = event.key.toLowerCase();
  if (key === "z") return event.shiftKey ? () => app.redo() : () => app.undo();
  if (key === "y") return () => app.redo();
  return null;
}

function videoKey(app, event) {
  if (event.key >= "1" && event.key <= "9") return () => app.selectNumber(Number(event.key));
  const far = event.shiftKey ? 10 : 1;
  const actions = {
    " ": () => app.spaceDown(event.repeat), ArrowRight: () => app.step(far), ArrowLeft: () => app.step(-far), d: () => app.step(far), a: () => app.step(-far),
    Home: () => app.seek(0), End: () => app.seek(Infinity), ".": () => app.jump(1), ",": () => app.jump(-1),
    t: () => app.track("both"), "[": () => app.track("backward"), "]": () => app.track("forward"), Escape: () => app.escape(),
    n: () => app.newObject(), m: () => app.markAbsent(), r: () => app.rename(), h: () => app.toggleMasks(), x: () => app.swap(),
    f: () => app.fit(), 0: () => app.fit(), "+": () => app.zoomBy(1.4), "=": () => app.zoomBy(1.4), "-": () => app.zoomBy(1 / 1.4),
    "?": () => app.help(), Delete: () => app.removeObject(), Backspace: () => app.removeObject(),
  };
  return actions[event.key.length === 1 ? event.key.toLowerCase() : event.key];
}
