// @ts-check
// Toolbar, candidate bar and status line of the page of photos.

import { make, replaceChildren } from "../shared/dom.js";
import { isEmptyDraft, shownAnswer } from "../shared/draft.js";
import { PageControls } from "../shared/page_controls.js";
import { TEXT } from "../shared/strings.js";

export class Controls extends PageControls {
  constructor(root, app) {
    super(root, app);
    this.buildTools();
    this.buildActions(
      this.tool("upload", TEXT.upload, "", () => app.files.choosePictures()),
      this.tool("import", TEXT.importLabels, "", () => app.files.chooseLabels()));
    this.buildTabs("images", TEXT.images, TEXT.previousPicture, TEXT.nextPicture);
    this.note = make("div", { class: "cm-note" });
    this.find("overlay").after(this.note);
  }

  buildTools() {
    const { app } = this;
    const tools = ["click", "select", "brush", "eraser", "outline", "polygon", "split"];
    this.tools = new Map(tools.map((name) => [name, this.tool(name, TEXT.tools[name], name, () => app.useTool(name))]));
    this.find("tools").append(...this.tools.values(), this.swap, make("i"), this.undo, this.redo, make("i"),
      this.tool("everything", TEXT.everything, "everything", () => app.proposals.find()),
      this.tool("similar", TEXT.similar, "similar", () => app.similar.find()));
  }

  render() {
    const { state } = this.app;
    for (const [name, node] of this.tools) node.setAttribute("aria-pressed", String(state.tool === name));
    this.renderSwap();
    this.renderHistory();
    this.root.dataset.tool = state.tool;
    this.renderState();
    this.renderZoom();
    this.renderCandidates();
    this.renderScore();
  }

  renderState() {
    const { state } = this.app;
    const { run } = this.app.proposals;
    if (run) this.renderPhase("encoding", TEXT.everythingBusy(run.share));
    else if (this.app.busy) this.renderPhase("encoding", this.app.busy);
    else this.renderPhase(state.phase, TEXT.phases[state.phase]);
    const { picture } = state;
    this.find("facts").textContent = picture ? TEXT.facts(picture) : "";
    const note = !picture && state.phase === "ready" ? TEXT.dropHere : state.problem || "";
    this.note.textContent = note;
    this.note.hidden = !note;
  }

  renderScore() {
    const answer = shownAnswer(this.app.state.draft);
    const parts = [];
    if (answer && answer.iou) {
      parts.push(TEXT.iou(answer.iou[answer.chosen]), TEXT.stability(answer.stability[answer.chosen]));
      if (answer.ms) parts.push(TEXT.milliseconds(answer.ms));
    }
    if (answer) parts.push(TEXT.area(answer.mask.area));
    this.find("score").textContent = parts.join(" · ");
  }

  renderCandidates() {
    const { draft, proposals } = this.app.state;
    const bar = this.find("candidates");
    const answer = shownAnswer(draft);
    const { run } = this.app.proposals;
    const { polygon, review } = this.app;
    const reviews = review.isOn && isEmptyDraft(draft);
    bar.hidden = !answer && !proposals.length && !run && !polygon.isOpen && !reviews;
    if (bar.hidden) return;
    const leave = (words) => make("button", { type: "button", class: "cm-plain", onclick: () => this.app.escape() }, words, make("kbd", {}, "Esc"));
    if (polygon.isOpen) return replaceChildren(bar, make("span", {}, TEXT.polygonHint), leave(TEXT.clear), this.go(TEXT.closePolygon, () => this.app.accept()));
    if (proposals.length && this.app.similar.isOn) return replaceChildren(bar, this.keeping(leave));
    if (run) return replaceChildren(bar, make("span", {}, TEXT.everythingBusy(run.share)), leave(TEXT.stop));
    const clear = leave(TEXT.clear);
    if (proposals.length) {
      const all = make("button", { type: "button", class: "cm-primary", onclick: () => this.app.proposals.acceptAll() }, TEXT.acceptAll);
      return replaceChildren(bar, make("span", {}, TEXT.everythingDone(proposals.length)), clear, all);
    }
    if (reviews) return replaceChildren(bar, this.reviewing(review, leave));
    const rows = answer.iou ? answer.iou.map((_iou, row) => this.candidate(answer, row)) : [];
    const accept = this.go(TEXT.accept, () => this.app.accept());
    const words = rows.length ? make("span", { class: "cm-candidate cm-words" }, make("b", {}, " "), make("span", {}, TEXT.scores[0]), make("small", {}, TEXT.scores[1])) : null;
    replaceChildren(bar, words, rows, clear, accept);
  }

  // the button of Enter
  go(words, run) {
    return make("button", { type: "button", class: "cm-primary", onclick: run }, words, make("kbd", {}, "↵"));
  }

  reviewing(review, leave) {
    const { current } = review, { state } = this.app;
    if (!current) {
      const rest = state.pictures.some((picture) => picture.unchecked > 0);
      return [make("span", {}, rest ? TEXT.nothingToReview : TEXT.allReviewed), leave(TEXT.close), this.go(TEXT.nextPicture, () => this.app.accept())];
    }
    const total = Math.max(review.total, review.left.length);
    return [make("span", {}, TEXT.reviewing(total - review.left.length + 1, total, state.nameOf(current.category), current.score ?? null)), leave(TEXT.close),
      make("button", { type: "button", class: "cm-plain", onclick: () => this.app.objects.refine(current) }, TEXT.refine),
      make("button", { type: "button", class: "cm-plain", onclick: () => review.drop() }, TEXT.remove, make("kbd", {}, "Del")),
      this.go(TEXT.keep, () => review.keep())];
  }

  // the others of an object: one after the other, or all, or on to the next pictures
  keeping(leave) {
    const { similar, state } = this.app, { current } = similar;
    const plain = (words, key, run) => make("button", { type: "button", class: "cm-plain", onclick: run }, words, key && make("kbd", {}, key));
    return [make("span", {}, TEXT.similarDone(state.proposals.length, state.nameOf(similar.category), current.score)), leave(TEXT.close),
      plain(TEXT.nextPictures, this.app.keymap.label("similarAfter"), () => similar.askAfter()), plain(TEXT.acceptAll, "", () => similar.keepAll()),
      plain(TEXT.drop, "Del", () => similar.drop()), this.go(TEXT.keep, () => similar.keep())];
  }

  candidate(answer, row) {
    const [iou, stability] = [answer.iou[row], answer.stability[row]];
    return make("button", {
      type: "button", class: "cm-candidate", title: TEXT.candidate(iou, stability), "aria-pressed": String(row === answer.chosen),
      onclick: () => this.app.prompts.chooseRow(row),
    }, make("b", {}, TEXT.rows[row]), make("span", {}, iou.toFixed(2)), make("small", {}, stability.toFixed(2)));
  }
}
