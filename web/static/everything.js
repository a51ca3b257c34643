// Segment everything: proposals that a click accepts. (Part of App.)

const EVERYTHING_COLORS = ["#f97316", "#22c55e", "#3b82f6", "#e11d48", "#a855f7", "#eab308", "#06b6d4", "#ec4899"];

const Everything = {
  async segmentEverything() {
    const { folder, picture } = this.state;
    if (!picture || this.everythingJob) return;
    this.clear();
    try {
      const { job } = await this.call("start_everything", { folder, picture: picture.id });
      this.everythingJob = job;
      const result = await this.watch(job, ({ done, total, found }) => {
        if (this.everythingJob !== job) return;
        this.controls.renderBusy(TEXT.everythingBusy(done, total));
        if (found) this.showProposals(found);
      });
      if (this.everythingJob === job) this.showProposals(result.found);
      if (this.everythingJob === job && !result.found.length) this.toasts.show(TEXT.everythingDone(0));
    } catch (failure) {
      if (failure.kind !== "cancelled") this.fail(failure);
    }
    this.everythingJob = null;
    this.controls.renderState();
    this.controls.renderCandidates();
  },

  showProposals(found) {
    const { state } = this;
    const known = new Map(state.proposals.map((proposal) => [proposal.id, proposal]));
    const taken = this.takenProposals ||= new Set();
    state.proposals = found.filter((one) => !taken.has(one.id)).map((one, i) => known.get(one.id)
      || { ...one, mask: Mask.fromText(one.runs), color: EVERYTHING_COLORS[i % EVERYTHING_COLORS.length] })
      .sort((one, other) => other.mask.area - one.mask.area); // small ones are painted last, or they could not be seen
    this.controls.renderCandidates();
    this.stage.refresh();
  },

  leaveProposals() {
    if (this.everythingJob) this.call("stop_job", { job: this.everythingJob }).catch(() => {});
    this.everythingJob = null;
    this.takenProposals = null;
    if (!this.state.proposals.length) return;
    this.state.proposals = [];
    this.controls.render();
    this.stage.refresh();
  },

  // a click on a proposal accepts it
  takeProposal(x, y) {
    const { state } = this;
    if (!state.proposals.length) return false;
    const under = this.smallestAt(state.proposals, x, y);
    if (under) this.acceptProposals([under]);
    return true;
  },

  acceptAll() {
    this.acceptProposals(this.state.proposals);
  },

  acceptProposals(proposals) {
    const { state } = this;
    const changes = proposals.map(({ id, mask, score }) => {
      const after = { id: newId(), category: state.category, mask, prompts: {}, score, source: "auto" };
      (this.takenProposals ||= new Set()).add(id);
      return { id: after.id, before: null, after };
    });
    state.proposals = state.proposals.filter((proposal) => !proposals.includes(proposal));
    this.change(changes);
  },
};
