// @ts-check
// The page of photos: makes its parts and ties them together.

import { find } from "../shared/dom.js";
import { isEmptyDraft } from "../shared/draft.js";
import { showHelp } from "../shared/help.js";
import { Page } from "../shared/page.js";
import { Stage } from "../shared/stage.js";
import { HELP, TEXT } from "../shared/strings.js";
import { Classes } from "./classes.js";
import { ClassesPanel } from "./classes_panel.js";
import { Clipboard } from "./clipboard.js";
import { photoCommands } from "./commands.js";
import { Controls } from "./controls.js";
import { Drafts } from "./drafts.js";
import { Files } from "./files.js";
import { Folder } from "./folder.js";
import { History } from "./history.js";
import { LearningPanel } from "./learning_panel.js";
import { MaskEdit } from "./mask_edit.js";
import { Objects } from "./objects.js";
import { ObjectsPanel } from "./objects_panel.js";
import { PictureOpening } from "./picture_opening.js";
import { PicturePanel } from "./picture_panel.js";
import { PicturesPanel } from "./pictures_panel.js";
import { PhotoPointer } from "./pointer.js";
import { Polygon } from "./polygon.js";
import { Preview } from "./preview.js";
import { Prompts } from "./prompts.js";
import { Propagation } from "./propagation.js";
import { Proposals } from "./proposals.js";
import { Review } from "./review.js";
import { SaveQueue } from "./save_queue.js";
import { SettingsPanel } from "./settings_panel.js";
import { Similar } from "./similar.js";
import { PhotoState, keepSettings, loadSettings } from "./state.js";

export class PhotoApp extends Page {
  constructor(root, server) {
    super(root, server, new PhotoState());
    loadSettings(this.state);
    this.saving = new SaveQueue(this.call, {
      changed: (state, message, isNew) => this.savingChanged(state, message, isNew),
      merged: (folder, picture, labels, dropped) => this.objects.merged(folder, picture, labels, dropped),
    });
    this.history = new History(this);
    this.drafts = new Drafts(localStorage);
    this.prompts = new Prompts(this);
    this.preview = new Preview(this);
    this.maskEdit = new MaskEdit(this);
    this.polygon = new Polygon(this);
    this.proposals = new Proposals(this);
    this.similar = new Similar(this);
    this.objects = new Objects(this);
    this.clipboard = new Clipboard(this);
    this.review = new Review(this);
    this.propagation = new Propagation(this);
    this.busy = ""; // what the server does at length, in words
    this.classes = new Classes(this);
    this.folder = new Folder(this);
    this.picture = new PictureOpening(this);
    this.files = new Files(this);
    this.stage = new Stage(find(root, ".cm-stage"), this.state, () => this.prompts.painted());
    this.pointer = new PhotoPointer(this);
    this.panels = {
      pictures: new PicturesPanel(root, this),
      picture: new PicturePanel(root, this),
      classes: new ClassesPanel(root, this),
      objects: new ObjectsPanel(root, this),
      settings: new SettingsPanel(root, this),
      learning: new LearningPanel(root, this),
    };
    this.controls = new Controls(root, this);
    this.listen(photoCommands(this), "photos");
  }

  get hasUnsaved() {
    return this.saving.queue.length > 0;
  }

  lastFolder() {
    return localStorage.getItem("clickmask-folder");
  }

  openFolder(path) {
    return this.folder.open(path);
  }

  started({ colors }) {
    this.state.colors = colors;
    this.saving.resume();
  }

  accept() {
    if (this.polygon.isOpen) this.polygon.close();
    else if (this.similar.current && isEmptyDraft(this.state.draft)) this.similar.keep();
    else if (this.review.isOn && isEmptyDraft(this.state.draft)) this.review.keep();
    else this.objects.accept();
  }

  removeKey() {
    if (this.polygon.isOpen) this.polygon.removeLast();
    else if (this.similar.current && isEmptyDraft(this.state.draft)) this.similar.drop();
    else if (this.proposals.pointed) this.proposals.discard(this.proposals.pointed);
    else if (this.review.current && isEmptyDraft(this.state.draft)) this.review.drop();
    else this.objects.removeSelected();
  }

  step(way) {
    return this.folder.step(way);
  }

  useTool(tool) {
    this.polygon.cancel();
    this.maskEdit.prepare(tool);
    this.state.tool = tool;
    this.stage.cursor = null;
    this.preview.stop();
    this.panels.settings.render();
    this.draftChanged();
    this.focus();
  }

  setBusy(words) {
    this.busy = words;
    this.controls.renderState();
  }

  draftChanged() {
    this.maskEdit.updateOutline();
    this.controls.render();
    this.stage.refresh();
  }

  settingChanged(key) {
    keepSettings(this.state);
    if (key === "minIou") this.maskEdit.updateOutline();
    if (key === "hover") this.preview.stop();
    if (key === "zoom") this.prompts.askAgain();
    this.stage.refresh();
  }

  savingChanged(state, message, isNew) {
    this.controls.renderSaving(state, message, () => this.saveNow(), this.saving.queue.length);
    if (isNew && state === "failed") this.toasts.show(message, "error");
    if (state === "failed") this.hadFailed = true;
    if (state === "saved" && this.hadFailed) {
      this.hadFailed = false;
      this.toasts.show(TEXT.backOnline, "good");
    }
  }

  saveNow() {
    this.saving.run();
  }

  // Esc: what was begun last first
  escape() {
    if (this.polygon.cancel() || this.proposals.leave() || this.prompts.clear() || this.review.leave() || this.propagation.stop() || this.similar.stop()) return;
    this.objects.select(null);
  }

  help() {
    showHelp(this, HELP);
  }

  showExport() {
    this.files.showExport();
  }

  takeFiles(files) {
    this.files.take(files);
  }
}
