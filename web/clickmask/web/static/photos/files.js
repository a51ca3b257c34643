// @ts-check
// Pictures to add, labels to import and export.

import { make } from "../shared/dom.js";
import { exportDialog } from "../shared/export_dialog.js";
import { chooseFiles } from "../shared/file_choice.js";
import { watchJob } from "../shared/jobs.js";
import { TEXT } from "../shared/strings.js";

const EXPORTED_STATES = ["done", "accepted"];

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
    const share = make("input", { class: "cm-input", type: "number", min: 0, max: 0.9, step: 0.05, value: 0.2 });
    const states = this.stateChoices();
    const field = (title, node) => make("label", { class: "cm-field" }, make("span", {}, title), node);
    const iouField = field(TEXT.exportIou, iou), shapeField = field(TEXT.exportShape, shape), shareField = field(TEXT.exportShare, share);
    const fit = () => { shareField.hidden = format.value !== "yolo"; shapeField.hidden = format.value !== "coco"; iouField.hidden = shapeField.hidden || shape.value !== "simplified"; };
    exportDialog(this.page, {
      fields: [field(TEXT.exportFormat, format), shapeField, iouField, shareField, make("fieldset", { class: "cm-states" }, make("legend", {}, TEXT.exportStates), states.map(({ node }) => node))],
      begin: () => this.page.call("start_export", {
        folder: this.state.folder, format: format.value, shape: shape.value, min_iou: Number(iou.value),
        states: states.filter(({ box }) => box.checked).map(({ status }) => status), val_share: format.value === "yolo" ? Number(share.value) : 0,
      }),
      seen: TEXT.exporting,
      done: exportedWords,
      onchange: fit,
    });
    fit();
    format.focus();
  }

  // which pictures go into an export: finished ones, unless somebody says more
  stateChoices() {
    const { pictures } = this.state;
    return Object.entries(TEXT.statuses).map(([status, words]) => {
      const count = pictures.filter((picture) => picture.status === status).length;
      const box = make("input", { type: "checkbox", checked: EXPORTED_STATES.includes(status), disabled: count === 0 });
      return { status, box, node: make("label", { class: "cm-check" }, box, TEXT.filterCount(words, count)) };
    });
  }

  // boxes of a detector or of a file become masks
  async makeMasks() {
    const { folder } = this.state, { page } = this;
    try {
      const { job } = await page.call("start_boxes", { folder });
      const { made, failed } = await watchJob(page.call, job, ({ done, total }) => page.panels.pictures.renderBoxes(TEXT.makingMasks(done, total)));
      page.toasts.show(TEXT.masksMade(made, failed), failed ? "error" : "good");
    } catch (failure) {
      page.fail(failure);
    }
    if (this.state.folder === folder) await page.folder.reload();
  }
}

function exportedWords({ objects, pictures, left_out: leftOut = {} }) {
  const rest = Object.entries(leftOut).filter(([, count]) => count > 0).map(([status, count]) => TEXT.leftOut(TEXT.status[status] || TEXT.replacedWord, count));
  return [TEXT.exportDone(objects, pictures), rest.length && TEXT.leftOutAll(rest.join(", "))].filter(Boolean).join(". ");
}
