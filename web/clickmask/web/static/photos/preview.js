// @ts-check
// The mask a click would give, under a resting pointer; only while the model is quick enough to follow it.

import { withPrompt } from "../shared/draft.js";
import { Mask } from "../shared/mask.js";
import { round1 } from "../shared/numbers.js";

const LIMIT_MS = 60;
const PAUSE_MS = 30;

export class Preview {
  /** @param {import("./app.js").PhotoApp} page */
  constructor(page) {
    this.page = page;
    this.timer = null;
    this.asking = false;
    this.newest = null; // {asked, answer}: a click on the previewed place takes it over
  }

  over(at) {
    clearTimeout(this.timer);
    if (this.isWanted) this.timer = setTimeout(() => this.ask(at), PAUSE_MS);
  }

  get isWanted() {
    const { state, prompts } = this.page;
    return state.hover && state.tool === "click" && !state.swapped && state.phase === "ready" && !prompts.isWaiting
      && !state.proposals.length && state.masksVisible && prompts.roundTrip < LIMIT_MS;
  }

  async ask([x, y]) {
    const { page } = this, { state, prompts } = page;
    if (this.asking || prompts.queue.busy || !this.isWanted) return;
    this.asking = true;
    const { picture, draft } = state;
    const pointed = withPrompt(draft, { points: [...draft.points, [round1(x), round1(y), true]], view: page.stage.visiblePart });
    const message = prompts.message({ draft: pointed, picture: picture.id, zoom: false });
    try {
      this.newest = { asked: JSON.stringify(message), answer: prompts.ask(message) };
      const answer = await this.newest.answer;
      if (state.picture === picture && state.draft === draft && this.timer) {
        state.preview = { mask: Mask.fromText(answer.runs) };
        page.stage.refresh();
      }
    } catch {
      this.newest = null; // a preview is a courtesy: a click asks again
    }
    this.asking = false;
  }

  // the answer to the previewed click, also one that is still on its way
  answerTo(message) {
    return this.newest && this.newest.asked === JSON.stringify(message) ? this.newest.answer : null;
  }

  forget() {
    this.newest = null;
  }

  stop() {
    clearTimeout(this.timer);
    this.timer = null;
    if (!this.page.state.preview) return;
    this.page.state.preview = null;
    this.page.stage.refresh();
  }
}
