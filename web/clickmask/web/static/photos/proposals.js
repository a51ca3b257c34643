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
    const { folder, picture } = this.state;
    if (!picture || this.run) return;
    this.leave();
    this.page.prompts.clear();
    const run = this.run = { job: null, share: 0 };
    this.runMoved();
    try {
      run.job = (await this.page.call("start_everything", { folder, picture: picture.id })).job;
      if (this.run !== run) return this.stop(run); // left before it began
      const { found } = await watchJob(this.page.call, run.job, ({ done, total }) => {
        run.share = total ? done / total : 0;
        if (this.run === run) this.runMoved();
      });
      if (this.run === run) this.show(found);
    } catch (failure) {
      if (failure.kind !== "cancelled") this.page.fail(failure);
    }
    if (this.run === run) this.run = null;
    this.runMoved();
  }

  runMoved() {
    this.page.controls.renderState();
    this.page.controls.renderCandidates();
  }

  stop({ job }) {
    if (job) this.page.call("stop_job", { job }).catch(() => {});
  }

  // small ones are painted last, or they could not be seen
  show(found) {
    this.state.proposals = found.map((one, i) => ({ ...one, mask: Mask.fromText(one.runs), color: PROPOSAL_COLORS[i % PROPOSAL_COLORS.length] }))
      .sort((one, other) => other.mask.area - one.mask.area);
    if (!found.length) this.page.toasts.show(TEXT.everythingDone(0));
    this.page.stage.refresh();
  }

  // whether there were any to leave
  leave() {
    const { state, run } = this;
    if (run) this.stop(run);
    if (!run && !state.proposals.length) return false;
    this.run = null;
    this.set([]);
    return true;
  }

  set(proposals) {
    this.state.proposals = proposals;
    this.state.pointedProposal = null;
    this.page.controls.render();
    this.page.stage.refresh();
  }

  // the one that a click would accept stands out
  point(at) {
    const under = at && smallestAt(this.state.proposals, ...at);
    const id = under ? under.id : null;
    if (id === this.state.pointedProposal) return;
    this.state.pointedProposal = id;
    this.page.stage.refresh();
  }

  // whether a click was meant for the proposals: it accepts one, or discards it
  take(x, y, removes) {
    const { proposals } = this.state;
    if (!proposals.length) return false;
    const under = smallestAt(proposals, x, y);
    if (under && removes) this.discard(under);
    else if (under) this.accept([under]);
    return true;
  }

  get pointed() {
    return this.state.proposals.find(({ id }) => id === this.state.pointedProposal) || null;
  }

  // one undoable step
  discard(proposal) {
    const { picture, proposals } = this.state;
    const rest = proposals.filter((one) => one !== proposal);
    this.page.history.add({ undo: () => this.back(picture, proposals), redo: () => this.back(picture, rest) });
    this.set(rest);
  }

  // proposals are there again, if their picture is
  back(picture, proposals) {
    if (this.state.picture === picture) this.set(proposals);
  }

  acceptAll() {
    this.accept(this.state.proposals);
  }

  accept(accepted) {
    const { state } = this;
    const changes = accepted.map(({ mask, score }) => {
      const after = { id: newId(), category: state.category, mask, prompts: {}, score, source: "auto" };
      return { id: after.id, before: null, after };
    });
    const { picture, proposals: before } = state;
    const rest = before.filter((proposal) => !accepted.includes(proposal));
    this.page.objects.change(changes, state.draft, state.draft, { undo: () => this.back(picture, before), redo: () => this.back(picture, rest) });
    this.set(rest);
  }
}
