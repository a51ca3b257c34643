// @ts-check
// Segment everything: proposals that a click accepts.

import { watchJob } from "../shared/jobs.js";
import { Mask } from "../shared/mask.js";
import { smallestAt } from "../shared/pointer.js";
import { TEXT } from "../shared/strings.js";
import { newId } from "./objects.js";

const PROPOSAL_COLORS = ["#f97316", "#22c55e", "#3b82f6", "#e11d48", "#a855f7", "#eab308", "#06b6d4", "#ec4899"];

export class Proposals {
  /** @param {import("./app.js").PhotoApp} page */
  constructor(page) {
    this.page = page;
    this.run = null; // the search under way: {job, share}
  }

  get state() {
    return this.page.state;
  }

  async find() {
    this.leave();
    this.page.prompts.clear();
    const found = await this.search("start_everything");
    if (found) this.show(found);
  }

  // gives what a job of the server found on the picture, or null where it was left before its end
  async search(method, more = {}) {
    const { folder, picture } = this.state;
    if (!picture || this.run) return null;
    const run = this.run = { job: null, share: 0 };
    let result = null;
    this.runMoved();
    try {
      run.job = (await this.page.call(method, { folder, picture: picture.id, ...more })).job;
      if (this.run !== run) return this.stop(run); // left before it began
      const { found } = await watchJob(this.page.call, run.job, ({ done, total }) => {
        run.share = total ? done / total : 0;
        if (this.run === run) this.runMoved();
      });
      if (this.run === run) result = found;
    } catch (failure) {
      if (failure.kind !== "cancelled") this.page.fail(failure);
    }
    if (this.run === run) this.run = null;
    this.runMoved();
    return result;
  }

  runMoved() {
    this.page.controls.renderState();
    this.page.controls.renderCandidates();
  }

  stop({ job }) {
    if (job) this.page.call("stop_job", { job }).catch(() => {});
    return null;
  }

  // small ones are painted last, or they could not be seen
  painted(found) {
    return found.map((one, i) => ({ ...one, mask: Mask.fromText(one.runs), color: PROPOSAL_COLORS[i % PROPOSAL_COLORS.length] }))
      .sort((one, other) => other.mask.area - one.mask.area);
  }

  show(found) {
    this.set(this.painted(found));
    if (!found.length) this.page.toasts.show(TEXT.everythingDone(0));
  }

  // whether there were any to leave
  leave() {
    const { state, run } = this;
    if (run) this.stop(run);
    const { similar } = this.page;
    if (!run && !state.proposals.length && !similar.isOn) return false;
    similar.end();
    this.run = null;
    this.set([]);
    return true;
  }

  set(proposals) {
    this.state.proposals = proposals;
    this.state.pointedProposal = this.restingId;
    this.page.controls.render();
    this.page.stage.refresh();
  }

  // the one that a click would accept stands out
  point(at) {
    const under = at && smallestAt(this.state.proposals, ...at);
    const id = under ? under.id : this.restingId;
    if (id === this.state.pointedProposal) return;
    this.state.pointedProposal = id;
    this.page.stage.refresh();
  }

  // of all the one with the lowest score
  get worst() {
    return this.state.proposals.reduce((worst, one) => (!worst || one.score < worst.score ? one : worst), null);
  }

  // what stands out while the pointer is elsewhere: what Enter would keep
  get restingId() {
    const { worst } = this;
    return this.page.similar.isOn && worst ? worst.id : null;
  }

  // whether a click was meant for the proposals: it accepts one, or discards it
  take(x, y, removes) {
    const { proposals } = this.state;
    if (!proposals.length) return false;
    const under = smallestAt(proposals, x, y);
    const { similar } = this.page;
    if (under && similar.isOn) removes ? similar.drop(under) : similar.keep(under);
    else if (under && removes) this.discard(under);
    else if (under) this.accept([under]);
    return true;
  }

  get pointed() {
    return this.state.proposals.find(({ id }) => id === this.state.pointedProposal) || null;
  }

  // one undoable step; more: what else it does
  discard(proposal, more = { undo() {}, redo() {} }) {
    const { picture, proposals } = this.state;
    const rest = proposals.filter((one) => one !== proposal);
    this.page.history.add({
      undo: () => { this.back(picture, proposals); more.undo(); },
      redo: () => { this.back(picture, rest); more.redo(); },
    });
    this.set(rest);
  }

  // proposals are there again, if their picture is
  back(picture, proposals) {
    if (this.state.picture === picture) this.set(proposals);
  }

  acceptAll() {
    this.accept(this.state.proposals);
  }

  // gives the ids of the objects they become
  accept(accepted, category = this.state.category, source = "auto") {
    const { state } = this;
    const changes = accepted.map(({ mask, score }) => {
      const after = { id: newId(), category, mask, prompts: {}, score, source };
      return { id: after.id, before: null, after };
    });
    const { picture, proposals: before } = state;
    const rest = before.filter((proposal) => !accepted.includes(proposal));
    this.page.objects.change(changes, state.draft, state.draft, { undo: () => this.back(picture, before), redo: () => this.back(picture, rest) });
    this.set(rest);
    return changes.map(({ id }) => id);
  }
}
