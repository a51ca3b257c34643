// Pictures to add, labels to import and export. (Part of App.)

const Files = {
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
      this.failSending(failure);
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
      this.failSending(failure);
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
};
