// Points and boxes become a draft, the draft a question, the answer a mask. (Part of App.)

const HOVER_LIMIT_MS = 60; // preview only while the model is quick enough to follow the pointer
const HOVER_PAUSE_MS = 30;

const Marking = {
  // one step of the draft; undo goes back to the draft before it
  nextDraft(draft) {
    const before = this.state.draft;
    const go = (to) => { this.setDraft(to); if (!to.answer && hasPrompt(to)) this.askMask(to); };
    this.steps.add({ draft: true, undo: () => go(before), redo: () => go(draft) });
    this.setDraft(draft);
  },

  setDraft(draft) {
    this.state.draft = draft;
    this.state.preview = null;
    if (draft.answer || !hasPrompt(draft)) this.asking.forget();
    this.keepDraft();
    this.draftChanged();
  },

  markPoint(x, y, removes, since) {
    if (!this.takeProposal(x, y)) Pointing.markPoint.call(this, x, y, removes, since);
  },

  mark(change) {
    const draft = withPrompt(this.state.draft, change);
    if (!hasPrompt(draft)) draft.interim = null;
    else this.askMask(draft); // first, so that the server works while the page paints the mark
    this.nextDraft(draft);
  },

  askMask(draft) {
    this.asking.put({ draft, picture: this.state.picture.id, zoom: false });
  },

  segment(question) {
    const message = this.questionMessage(question);
    const { preview } = this;
    return preview && preview.asked === JSON.stringify(message) ? preview.answer : this.timedAnswer(message);
  },

  questionMessage({ draft: { points, box, base, row, rowBefore }, picture, zoom }) {
    const { folder, rule } = this.state;
    const before = { rule_before: rowBefore ?? rule, zoom_before: this.state.zoom };
    return { folder, picture, points, box, base: base ? base.text : null, rule: row ?? rule, zoom, ...before };
  },

  async timedAnswer(message) {
    const started = performance.now();
    const answer = await this.call("segment", message);
    if (!message.zoom) this.roundTrip = performance.now() - started - (answer.cached ? 0 : answer.encode_ms);
    return answer;
  },

  answered({ draft, picture, zoom }, answer) {
    if (!this.state.picture || this.state.picture.id !== picture) return;
    if (this.state.phase === "encoding" && !answer.cached) this.setPhase("ready");
    draft.answer = { ...answer, mask: Mask.fromText(answer.runs), number: draft.number, ms: draft.answer?.ms };
    draft.source = draft.base ? draft.source : "click";
    const current = this.state.draft;
    const shown = shownAnswer(current);
    if (current === draft) this.fresh = zoom ? this.fresh : draft;
    else if (current.answer || !hasPrompt(current) || (shown && shown.number >= draft.number)) return;
    else current.interim = draft.answer;
    if (draft.answer.object_score <= 0 && !draft.answer.mask.area) this.toasts.show(TEXT.noObject);
    this.draftChanged();
    // the quick answer is in sight; now the edges
    if (current === draft && answer.wants_zoom && !zoom && this.state.zoom) this.asking.put({ draft, picture, zoom: true });
  },

  unanswered({ draft, picture }, failure) {
    if (!this.state.picture || this.state.picture.id !== picture) return;
    this.fail(failure);
    if (failure.kind === "Offline" && this.state.draft === draft) setTimeout(() => {
      if (this.state.draft === draft && !draft.answer) this.askMask(draft);
    }, 2000);
  },

  // after the frame in which a fresh mask was painted
  maskPainted() {
    const draft = this.fresh;
    if (!draft) return;
    this.fresh = null;
    setTimeout(() => {
      if (!draft.since) return;
      draft.answer.ms = performance.now() - draft.since;
      this.controls.renderScore();
      this.root.dispatchEvent(new CustomEvent("clickmask-painted", { detail: { ms: draft.answer.ms, number: draft.number } }));
    });
  },

  chooseRow(row) {
    const { draft } = this.state;
    if (!shownAnswer(draft) || !hasPrompt(draft)) return;
    const next = withPrompt(draft, { row, since: performance.now() });
    this.nextDraft(next);
    this.askMask(next);
  },

  cycleRow(way) {
    const answer = shownAnswer(this.state.draft);
    if (!answer || answer.chosen === null) return;
    this.chooseRow((answer.chosen + way + 4) % 4);
  },

  useRule(rule) {
    this.state.rule = rule;
    keepSettings(this.state);
    this.settings.render();
    this.askAgain(null);
  },

  askAgain(row = this.state.draft.row) {
    const { draft } = this.state;
    if (hasPrompt(draft) && shownAnswer(draft)) this.mark({ row, since: performance.now() });
  },

  clear() {
    const { draft, proposals } = this.state;
    if (proposals.length || this.everything) return this.leaveProposals();
    if (!isEmptyDraft(draft)) this.nextDraft(newDraft());
    else if (this.state.selected) this.select(null);
  },

  pointed(at, screen, event) {
    const { state } = this;
    const paints = state.tool === "brush" || state.tool === "eraser";
    this.stage.cursor = paints ? screen : null;
    if (paints) this.stage.refresh();
    Pointing.pointed.call(this, at);
    this.pointProposal(at);
    if (this.isInside(at) && event.pointerType === "mouse" && !event.buttons) this.hover(at);
    else this.stopHover();
  },

  pointerLeft() {
    Pointing.pointerLeft.call(this);
    this.pointProposal(null);
    this.stage.cursor = null;
    this.stopHover();
    this.stage.refresh();
  },

  // asks for the mask under a resting pointer, only when nothing else is asked
  hover(at) {
    const { state } = this;
    clearTimeout(this.hoverTimer);
    const allowed = state.hover && state.tool === "click" && !state.swapped && state.phase === "ready" && isEmptyDraft(state.draft)
      && !state.proposals.length && state.masksVisible && (this.roundTrip ?? 0) < HOVER_LIMIT_MS;
    if (!allowed) return;
    this.hoverTimer = setTimeout(() => this.askPreview(at), HOVER_PAUSE_MS);
  },

  // a click on the previewed place takes over the answer, also one that is still on its way
  async askPreview([x, y]) {
    if (this.previewing || this.asking.busy || !isEmptyDraft(this.state.draft)) return;
    this.previewing = true;
    const { picture, draft } = this.state;
    const message = this.questionMessage({ draft: newDraft({ points: [[round1(x), round1(y), true]] }), picture: picture.id, zoom: false });
    try {
      this.preview = { asked: JSON.stringify(message), answer: this.timedAnswer(message) };
      const answer = await this.preview.answer;
      if (this.state.picture === picture && this.state.draft === draft && this.hoverTimer) {
        this.state.preview = { mask: Mask.fromText(answer.runs) };
        this.stage.refresh();
      }
    } catch {
      this.preview = null; // a preview is a courtesy: a click asks again
    }
    this.previewing = false;
  },

  stopHover() {
    clearTimeout(this.hoverTimer);
    this.hoverTimer = null;
    if (!this.state.preview) return;
    this.state.preview = null;
    this.stage.refresh();
  },

  // keeps the unfinished draft over a reload
  keepDraft() {
    const { draft, folder, picture } = this.state;
    const kept = { folder, picture: picture && picture.id, ...promptsOf(draft), editing: draft.editing && draft.editing.id, base: draft.base && draft.base.text };
    try {
      sessionStorage.setItem("clickmask-draft", JSON.stringify(kept));
    } catch { /* too large a mask for the browser's storage: only the unfinished draft would be lost */ }
  },

  restoreDraft() {
    const kept = JSON.parse(sessionStorage.getItem("clickmask-draft") || "null");
    const { folder, picture } = this.state;
    if (!kept || kept.folder !== folder || kept.picture !== picture.id) return;
    const editing = this.state.objects.find((object) => object.id === kept.editing) || null;
    const base = kept.base ? Mask.fromText(kept.base) : null;
    if (!kept.points.length && !kept.box && !base) return;
    const { points, box, row } = kept;
    let draft = newDraft({ points, box, row, editing, base });
    if (base) draft = withMask(draft, base, 0);
    this.nextDraft(draft);
    if (!draft.answer) this.askMask(draft);
  },
};
