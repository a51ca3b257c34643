// Segment everything: proposals that a click accepts. (Part of App.)

const EVERYTHING_COLORS = ["#f97316", "#22c55e", "#3b82f6", "#e11d48", "#a855f7", "#eab308", "#06b6d4", "#ec4899"];

const Everything = {
  async segmentEverything() {
    const { folder, picture } = this.state;
    if (!picture || this.everything) return;
    this.clear();
    const run = this.everything = { job: null, share: 0 };
    this.everythingMoved();
    try {
      run.job = (await this.call("start_everything", { folder, picture: picture.id })).job;
      if (this.everything !== run) return this.stopEverything(run); // left before it began
      const { found } = await this.watch(run.job, ({ done, total }) => {
        run.share = total ? done / total : 0;
        if (this.everything === run) this.everythingMoved();
      });
      if (this.everything === run) this.showProposals(found);
    } catch (failure) {
      if (failure.kind !== "cancelled") this.fail(failure);
    }
    if (this.everything === run) this.everything = null;
    this.everythingMoved();
  },

  everythingMoved() {
    this.controls.renderState();
    this.controls.renderCandidates();
  },

  stopEverything({ job }) {
    if (job) this.call("stop_job", { job }).catch(() => {});
  },

  // small ones are painted last, or they could not be seen
  showProposals(found) {
    this.state.proposals = found.map((one, i) => ({ ...one, mask: Mask.fromText(one.runs), color: EVERYTHING_COLORS[i % EVERYTHING_COLORS.length] }))
      .sort((one, other) => other.mask.area - one.mask.area);
    if (!found.length) this.toasts.show(TEXT.everythingDone(0));
    this.stage.refresh();
  },

  leaveProposals() {
    if (this.everything) this.stopEverything(this.everything);
    this.everything = null;
    this.state.proposals = [];
    this.state.pointedProposal = null;
    this.controls.render();
    this.stage.refresh();
  },

  // the one that a click would accept stands out
  pointProposal(at) {
    const under = at && this.smallestAt(this.state.proposals, ...at);
    const id = under ? under.id : null;
    if (id === this.state.pointedProposal) return;
    this.state.pointedProposal = id;
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
    const changes = proposals.map(({ mask, score }) => {
      const after = { id: newId(), category: state.category, mask, prompts: {}, score, source: "auto" };
      return { id: after.id, before: null, after };
    });
    state.proposals = state.proposals.filter((proposal) => !proposals.includes(proposal));
    state.pointedProposal = null;
    this.change(changes);
  },
};
