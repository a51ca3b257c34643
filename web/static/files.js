// Folders to open, pictures to add, labels to import and export, segment everything. (Part of App.)

const EVERYTHING_COLORS = ["#f97316", "#22c55e", "#3b82f6", "#e11d48", "#a855f7", "#eab308", "#06b6d4", "#ec4899"];

const Files = {
  chooseFolder() {
    const body = this.dialogs.open(TEXT.openFolder, make("div", {}));
    const show = async (path) => {
      try {
        const answer = await this.call("list_folders", { path });
        replaceChildren(body, folderList(answer, this.roots, show, (place) => { this.dialogs.close(); this.openFolder(place).catch(() => {}); }));
      } catch (failure) {
        this.fail(failure);
      }
    };
    if (this.roots.length === 1 || this.state.folder) show(this.state.folder || this.roots[0]);
    else replaceChildren(body, this.roots.map((root) => make("button", { type: "button", class: "cm-entry", onclick: () => show(root) }, icon("folder"), root)));
  },

  async choosePictures() {
    this.addPictures(await chooseFile("image/*,.tif,.tiff", true));
  },

  async addPictures(files) {
    if (!files.length) return;
    try {
      const paths = await Promise.all(files.map(async (file) => ({ path: (await this.upload(file)).path, name: file.name })));
      const answer = await this.call("add_pictures", { folder: this.state.folder, files: paths });
      this.toasts.show(TEXT.uploaded(answer.added.length), "good");
      if (answer.refused.length) this.toasts.show(answer.refused.join("\n"), "error");
      this.showFolder(answer.folder);
      if (answer.added.length) await this.openPicture(answer.added[0]);
    } catch (failure) {
      this.fail(failure instanceof Failure ? failure : new Failure(`The file could not be sent: ${failure.message || failure}`));
    }
  },

  async chooseLabels() {
    const file = await chooseFile(".json");
    if (!file) return;
    try {
      const { path } = await this.upload(file);
      const answer = await this.call("import_labels", { folder: this.state.folder, path });
      this.toasts.show(TEXT.imported(answer.objects), "good");
      if (answer.problems.length) this.toasts.show(answer.problems.join("\n"), "error");
      this.draftOf.clear();
      this.stepsOf.clear();
      this.showFolder(answer.folder);
      if (this.state.picture) await this.openPicture(this.state.picture.id);
    } catch (failure) {
      this.fail(failure instanceof Failure ? failure : new Failure(`The file could not be sent: ${failure.message || failure}`));
    }
  },

  showExport() {
    const pick = (names, name) => make("select", { name, class: "cm-input" }, Object.entries(names).map(([value, words]) => make("option", { value }, words)));
    const format = pick(TEXT.formats, "format"), shape = pick(TEXT.shapes, "shape");
    const iou = make("input", { class: "cm-input", type: "number", min: 0.5, max: 1, step: 0.005, value: 0.99 });
    const doneOnly = make("input", { type: "checkbox" });
    const field = (title, node) => make("label", { class: "cm-field" }, make("span", {}, title), node);
    const iouField = field(TEXT.exportIou, iou), shapeField = field(TEXT.exportShape, shape);
    const fit = () => { shapeField.hidden = format.value !== "coco"; iouField.hidden = shapeField.hidden || shape.value !== "simplified"; };
    exportDialog(this, {
      fields: [field(TEXT.exportFormat, format), shapeField, iouField, make("label", { class: "cm-check" }, doneOnly, TEXT.exportDoneOnly)],
      begin: () => this.call("start_export", {
        folder: this.state.folder, format: format.value, shape: shape.value, min_iou: Number(iou.value), done_only: doneOnly.checked,
      }),
      seen: TEXT.exporting,
      done: TEXT.exportDone,
      onchange: fit,
    });
    fit();
    format.focus();
  },

  // follows a job to its end
  async watch(job, seen) {
    for (;;) {
      const message = await this.call("job", { job });
      seen(message);
      if (message.state === "done") return message.result;
      if (message.state !== "running") throw new Failure(message.error || message.state, message.state);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  },

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
    const under = state.proposals.filter(({ mask }) => mask.contains(x, y)).sort((a, b) => a.mask.area - b.mask.area)[0];
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

function folderList({ path, above, folders }, roots, show, open) {
  const entry = (place, name, kind) => make("button", { type: "button", class: "cm-entry", onclick: () => show(place) }, icon(kind), name);
  return make("div", { class: "cm-form" },
    make("p", { class: "cm-hint" }, path),
    make("div", { class: "cm-entries" }, above ? entry(above, TEXT.up, "left") : null, above ? [] : roots.filter((root) => root !== path).map((root) => entry(root, root, "left")), folders.map((one) => entry(one.path, one.name, "folder"))),
    make("button", { type: "button", class: "cm-primary", onclick: () => open(path) }, TEXT.openHere));
}
