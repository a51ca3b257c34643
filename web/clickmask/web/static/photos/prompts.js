// @ts-check
// Points and boxes become a draft, the draft a question, the answer a mask.

import { hasPrompt, isEmptyDraft, newDraft, shownAnswer, withPrompt } from "../shared/draft.js";
import { Marks } from "../shared/marks.js";
import { Mask } from "../shared/mask.js";
import { RequestQueue } from "../shared/request_queue.js";
import { TEXT } from "../shared/strings.js";
import { keepSettings } from "./state.js";

const OFFLINE_RETRY_MS = 2000;

export class Prompts extends Marks {
  /** @param {import("./app.js").PhotoApp} page */
  constructor(page) {
    super(page);
    this.queue = new RequestQueue((q) => this.answerTo(q), (q, answer) => this.answered(q, answer), (q, failure) => this.unanswered(q, failure));
    this.fresh = null; // the draft whose mask was not painted yet
    this.roundTrip = 0; // ms, of the newest quick answer
  }

  // one step of the draft; undo goes back to the draft before it
  next(draft) {
    const before = this.state.draft;
    const go = (to) => { this.set(to); if (!to.answer && hasPrompt(to)) this.request(to); };
    this.page.history.add({ draft: true, undo: () => go(before), redo: () => go(draft) });
    this.set(draft);
  }

  set(draft) {
    this.state.draft = draft;
    this.state.preview = null;
    if (draft.answer || !hasPrompt(draft)) this.queue.forget();
    this.keepDraft(draft);
    this.page.draftChanged();
  }

  // the list marks pictures with an unfinished draft
  keepDraft(draft) {
    const { folder, picture } = this.state, { drafts, panels } = this.page;
    if (!picture) return;
    const had = drafts.pictures(folder).has(picture.id);
    drafts.keep(folder, picture.id, draft);
    if (had !== drafts.pictures(folder).has(picture.id)) panels.pictures.update(picture);
  }

  mark(change) {
    const draft = withPrompt(this.state.draft, { view: this.page.stage.visiblePart, ...change });
    if (!hasPrompt(draft)) draft.interim = null;
    else this.request(draft); // first, so that the server works while the page paints the mark
    this.next(draft);
  }

  request(draft) {
    this.queue.put({ draft, picture: this.state.picture.id, zoom: false });
  }

  answerTo(question) {
    const message = this.message(question);
    return this.page.preview.answerTo(message) || this.ask(message);
  }

  message({ draft: { points, box, base, row, rowBefore, view }, picture, zoom }) {
    const { folder, rule } = this.state;
    const before = { rule_before: rowBefore ?? rule, zoom_before: this.state.zoom };
    return { folder, picture, points, box, base: base ? base.text : null, rule: row ?? rule, zoom, ...(view && { view }), ...before };
  }

  async ask(message) {
    const started = performance.now();
    const answer = await this.page.call("segment", message);
    if (!message.zoom) this.roundTrip = performance.now() - started - (answer.cached ? 0 : answer.encode_ms);
    return answer;
  }

  answered({ draft, picture, zoom }, answer) {
    if (!this.state.picture || this.state.picture.id !== picture) return;
    if (this.state.phase === "encoding" && !answer.cached) this.page.setPhase("ready");
    draft.answer = { ...answer, mask: Mask.fromText(answer.runs), number: draft.number, ms: draft.answer?.ms };
    draft.source = draft.base ? draft.source : "click";
    const current = this.state.draft;
    const shown = shownAnswer(current);
    if (current === draft) this.fresh = zoom ? this.fresh : draft;
    else if (current.answer || !hasPrompt(current) || (shown && shown.number >= draft.number)) return;
    else current.interim = draft.answer;
    if (draft.answer.object_score <= 0 && !draft.answer.mask.area) this.page.toasts.show(TEXT.noObject);
    this.page.draftChanged();
    // the quick answer is in sight; now the second look
    if (current === draft && answer.wants_zoom && !zoom && this.state.zoom) this.queue.put({ draft, picture, zoom: true });
  }

  unanswered({ draft, picture }, failure) {
    if (!this.state.picture || this.state.picture.id !== picture) return;
    this.page.fail(failure);
    if (failure.kind === "Offline" && this.state.draft === draft) setTimeout(() => {
      if (this.state.draft === draft && !draft.answer) this.request(draft);
    }, OFFLINE_RETRY_MS);
  }

  // whether the draft's mask may still change
  get isWaiting() {
    const { draft } = this.state;
    return hasPrompt(draft) && (!draft.answer || this.queue.has((question) => question.draft === draft));
  }

  // after the frame in which a fresh mask was painted
  painted() {
    const draft = this.fresh;
    if (!draft) return;
    this.fresh = null;
    setTimeout(() => {
      if (!draft.since || !draft.answer) return;
      draft.answer.ms = performance.now() - draft.since;
      this.page.controls.renderScore();
      this.page.root.dispatchEvent(new CustomEvent("clickmask-painted", { detail: { ms: draft.answer.ms, number: draft.number } }));
    });
  }

  chooseRow(row) {
    const { draft } = this.state;
    if (!shownAnswer(draft) || !hasPrompt(draft)) return;
    const next = withPrompt(draft, { row, since: performance.now() });
    this.next(next);
    this.request(next);
  }

  cycleRow(way) {
    const answer = shownAnswer(this.state.draft);
    if (!answer || answer.chosen === null) return;
    this.chooseRow((answer.chosen + way + 4) % 4);
  }

  useRule(rule) {
    this.state.rule = rule;
    keepSettings(this.state);
    this.page.panels.settings.render();
    this.askAgain(null);
  }

  askAgain(row = this.state.draft.row) {
    const { draft } = this.state;
    if (hasPrompt(draft) && shownAnswer(draft)) this.mark({ row, since: performance.now() });
  }

  // whether there was something to clear
  clear() {
    if (isEmptyDraft(this.state.draft)) return false;
    this.next(newDraft());
    return true;
  }

  // what was begun on this picture, now or before a reload
  restore() {
    const { folder, picture, objects } = this.state;
    const draft = this.page.drafts.of(folder, picture.id, objects);
    if (!draft) return;
    this.next(draft);
    if (!draft.answer && hasPrompt(draft)) this.request(draft);
  }
}
