// @ts-check
// What the pages of photos and of video do alike: start, focus, theme, zoom, messages, files dropped on them.
// A page knows nothing of Gradio: call(name, message) asks the server, upload(file) sends a file.

import { Dialogs } from "./dialogs.js";
import { find } from "./dom.js";
import { Failure } from "./failure.js";
import { FolderDialog } from "./folder_dialog.js";
import { Gestures } from "./gestures.js";
import { bindKeys } from "./keyboard.js";
import { Keymap } from "./keymap.js";
import { TEXT } from "./strings.js";
import { Toasts } from "./toasts.js";

export class Page {
  /** @param {HTMLElement} root @param {{call: Function, upload: Function, largestUploadMb: number}} server @param {any} state */
  constructor(root, server, state) {
    this.root = root;
    this.call = server.call;
    this.server = server;
    this.state = state;
    this.roots = [];
    this.abort = new AbortController();
    this.toasts = new Toasts(root.querySelector(".cm-toasts"));
    this.dialogs = new Dialogs(root);
    this.folderDialog = new FolderDialog(this);
    // every page sets these before listen()
    /** @type {Keymap} */ this.keymap = null;
    /** @type {any} */ this.stage = null;
    /** @type {any} */ this.controls = null;
    /** @type {any} */ this.pointer = null;
    /** @type {any} */ this.prompts = null;
    /** @type {any} */ this.objects = null;
    /** @type {any} */ this.history = null;
    /** @type {any} */ this.panels = null;
  }

  async upload(file) {
    const most = this.server.largestUploadMb;
    if (file.size > most * 2 ** 20) throw new Failure(TEXT.tooLarge(file.name, most));
    return this.server.upload(file);
  }

  // once the page has its stage: what a person does on it
  listen(commands, name) {
    const { signal } = this.abort;
    const on = (name, run, options = {}) => this.root.addEventListener(name, run, { signal, ...options });
    this.gestures = new Gestures(this.stage, this, signal);
    this.keymap = new Keymap(commands, localStorage, name);
    this.controls.renderKeys();
    bindKeys(this, signal);
    window.addEventListener("beforeunload", (event) => { if (this.hasUnsaved) event.preventDefault(); }, { signal });
    on("pointerdown", (event) => { if (event.target === this.stage.overlay) this.touched(); });
    on("click", (event) => this.backToCanvas(event), { capture: true });
    on("dragover", (event) => { event.preventDefault(); this.root.dataset.dropping = "yes"; });
    on("dragleave", () => { delete this.root.dataset.dropping; });
    on("drop", (event) => this.dropped(event));
  }

  get hasUnsaved() {
    return false;
  }

  // on a phone, who touches the picture has done with the drawer
  touched() {
    this.closeDrawer();
    this.focus();
  }

  closeDrawer() {
    this.root.dataset.drawer = "";
  }

  // after a click of the mouse keys work at once; who uses the keyboard stays at the button
  backToCanvas(event) {
    if (event.detail && !event.target.closest("dialog, select, input, label")) this.focus();
  }

  async start() {
    this.applyTheme(localStorage.getItem("clickmask-theme"));
    this.controls.render();
    this.controls.renderSaving("saved");
    this.panels.objects.render();
    try {
      const answer = await this.call("start", {});
      this.roots = answer.roots;
      find(this.root, ".cm-model").textContent = answer.model;
      this.started(answer);
      await this.openFirstFolder(answer);
      this.focus();
    } catch (failure) {
      this.setPhase("failed");
      this.fail(failure);
    }
  }

  started(_answer) {}

  /** @returns {string | null} */
  lastFolder() {
    return null;
  }

  async openFolder(_path) {}

  removeKey() {
    this.objects.removeSelected();
  }

  takeFiles(_files) {}

  // where a person was last, if that may still be opened; a folder that cannot be opened says so itself
  async openFirstFolder({ folder, roots }) {
    const last = this.lastFolder();
    const inside = last && roots.some((root) => last === root || last.startsWith(`${root}/`));
    await this.openFolder(inside ? last : folder).catch(() => inside && this.openFolder(folder)).catch(() => {});
  }

  stop() {
    this.abort.abort();
    this.stage.observer.disconnect();
    this.root.remove();
  }

  fail(failure) {
    console.warn(failure);
    this.toasts.show(failure.message, "error");
  }

  // a file could not be sent: the browser's own words say little
  failSending(failure) {
    this.fail(failure instanceof Failure ? failure : new Failure(TEXT.notSent(failure.message || failure)));
  }

  focus() {
    this.root.focus({ preventScroll: true });
  }

  setPhase(phase) {
    this.state.phase = phase;
    this.controls.renderState();
  }

  swap() {
    this.state.swapped = !this.state.swapped;
    this.controls.render();
  }

  toggleMasks() {
    this.state.masksVisible = !this.state.masksVisible;
    this.stage.refresh();
  }

  fit() {
    this.stage.fit();
    this.zoomed();
  }

  zoomBy(factor) {
    const { width, height } = this.stage.size;
    this.stage.view.zoomAt(width / 2, height / 2, factor);
    this.stage.moved();
    this.zoomed();
  }

  zoomed() {
    this.controls.renderZoom();
  }

  spaceDown(_isRepeated = false) {
    this.gestures.space = true;
    this.root.dataset.moving = "true";
  }

  spaceUp() {
    this.gestures.space = false;
    this.root.dataset.moving = "false";
  }

  toggleTheme() {
    const theme = document.body.classList.contains("dark") ? "light" : "dark";
    localStorage.setItem("clickmask-theme", theme);
    this.applyTheme(theme);
  }

  applyTheme(theme) {
    if (theme) document.body.classList.toggle("dark", theme === "dark");
  }

  dropped(event) {
    event.preventDefault();
    delete this.root.dataset.dropping;
    this.takeFiles([...event.dataTransfer.files]);
  }
}
