// @ts-check
// The keys of the video page.

import { numberKeys } from "../shared/keys.js";

export function videoKeys(app, event) {
  const far = event.shiftKey ? 10 : 1;
  return {
    ...numberKeys((number) => app.objects.selectNumber(number)),
    ArrowRight: () => app.step(far), ArrowLeft: () => app.step(-far), d: () => app.step(far), a: () => app.step(-far),
    Home: () => app.seek(0), End: () => app.seek(Infinity), ".": () => app.jump(1), ",": () => app.jump(-1),
    t: () => app.tracking.begin("both"), "[": () => app.tracking.begin("backward"), "]": () => app.tracking.begin("forward"),
    n: () => app.objects.startNew(), m: () => app.prompts.markAbsent(), r: () => app.objects.rename(),
  };
}
