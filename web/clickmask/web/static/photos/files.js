// @ts-check
// Pictures to add, labels to import and export.

import { make } from "../shared/dom.js";
import { exportDialog } from "../shared/export_dialog.js";
import { chooseFiles } from "../shared/file_choice.js";
import { TEXT } from "../shared/strings.js";

export class Files {
  /** @param {import("./app.js").PhotoApp} page */
  constructor(page) {
    this.page = page;
  }

  get state() {
    return this.page.state;
  }

  // dropped on the page
  take(files) {
    const pictures = files.filter((file) => file.type.startsWith("image/"));
    if (pictures.length < files.length) this.page.toasts.show(TEXT.notPictures(files.length - pictures.length), "error");
    this.addPictures(pictures);
  }

  async choosePictures() {
    this.addPictures(await chooseFiles("image/*,.tif,.tiff", true));
  }

  async addPictures(files) {
    if (!files.length) return;
    try {
      const paths = await Promise.all(files.map(async (file) => ({ path: (await this.page.upload(file)).path, name: file.name })));
      const answer = await this.page.call("add_pictures", { folder: this.state.folder, files: paths });
      this.page.toasts.show(TEXT.uploaded(answer.added.length), "good");
      if (answer.refused.length) this.page.toasts.show(answer.refused.join("\n"), "error");
      this.page.folder.show(answer.folder);
      if (answer.added.length) await this.page.picture.open(answer.added[0]);
    } catch (failure) {
      this.page.failSending(failure);
    }
  }

  async chooseLabels() {
    const [file] = await chooseFiles(".json");
    if (!file) return;
    try {
      const { path } = await this.page.upload(file);
      const answer = await this.page.call("import_labels", { folder: this.state.folder, path });
      this.page.toasts.show(TEXT.imported(answer.objects), "good");
      if (answer.problems.length) this.page.toasts.show(answer.problems.join("\n"), "error");
      this.page.drafts.forget(this.state.folder);
      this.page.history.forget();
      this.page.folder.show(answer.folder);
      if (this.state.picture) await this.page.picture.open(this.state.picture.id);
    } catch (failure) {
      this.page.failSending(failure);
    }
  }

  showExport() {
    const pick = (names, name) => make("select", { name, class: "cm-input" }, Object.entries(names).map(([value, words]) => make("option", { value }, words)));
    const format = pick(TEXT.formats, "format"), shape = pick(TEXT.shapes, "shape");
    const iou = make("input", { class: "cm-input", type: "number", min: 0.5, max: 1, step: 0.005, value: 0.99 });
    const doneOnly = make("input", { type: "checkbox" });
    const field = (title, node) => make("label", { class: "cm-field" }, make("span", {}, title), node);
    const iouField = field(TEXT.exportIou, iou), shapeField = field(TEXT.exportShape, shape);
    const fit = () => { shapeField.hidden = format.value !== "coco"; iouField.hidden = shapeField.hidden || shape.value !== "simplified"; };
    exportDialog(this.page, {
      fields: [field(TEXT.exportFormat, format), shapeField, iouField, make("label", { class: "cm-check" }, doneOnly, TEXT.exportDoneOnly)],
      begin: () => this.page.call("start_export", {
        folder: this.state.folder, format: format.value, shape: shape.value, min_iou: Number(iou.value), done_only: doneOnly.checked,
      }),
      seen: TEXT.exporting,
      done: TEXT.exportDone,
      onchange: fit,
    });
    fit();
    format.focus();
  }
}
