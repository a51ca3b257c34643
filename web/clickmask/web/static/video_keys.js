// The keys of the video page.

function videoKeys(app, event) {
  const far = event.shiftKey ? 10 : 1;
  return {
    ...numberKeys((number) => app.selectNumber(number)),
    ArrowRight: () => app.step(far), ArrowLeft: () => app.step(-far), d: () => app.step(far), a: () => app.step(-far),
    Home: () => app.seek(0), End: () => app.seek(Infinity), ".": () => app.jump(1), ",": () => app.jump(-1),
    t: () => app.track("both"), "[": () => app.track("backward"), "]": () => app.track("forward"),
    n: () => app.newObject(), m: () => app.markAbsent(), r: () => app.rename(),
  };
}
