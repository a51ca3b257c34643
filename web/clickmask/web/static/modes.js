// @ts-check
// The switch between photos and video: two pages in one window, of which one steps aside.

import { find, make } from "./shared/dom.js";
import { VIDEO } from "./shared/strings.js";

export class Modes {
  constructor(element, makePhotos, makeVideo) {
    this.element = element;
    this.makeVideo = makeVideo;
    this.video = null;
    this.photos = this.page(makePhotos);
    this.photos.start();
    this.show(localStorage.getItem("clickmask-mode") === "video" ? "video" : "photos");
  }

  page(makePage) {
    const template = /** @type {HTMLTemplateElement} */ (this.element.querySelector(".cm-page"));
    const root = /** @type {any} */ (template.content.firstElementChild.cloneNode(true));
    this.element.append(root);
    root.clickmask = makePage(root);
    find(root, ".cm-modes").append(...Object.entries(VIDEO.modes).map(([mode, words]) => this.tab(mode, words)));
    return root.clickmask;
  }

  tab(mode, words) {
    const tab = make("button", { type: "button", role: "tab", onclick: () => this.show(mode) }, words);
    tab.dataset.mode = mode;
    return tab;
  }

  show(mode) {
    localStorage.setItem("clickmask-mode", mode);
    this.photos.root.inert = mode === "video";
    if (mode === "video") this.showVideo();
    else if (this.video) this.video.leave();
    (mode === "video" ? this.video : this.photos).focus();
    for (const tab of this.element.querySelectorAll(".cm-modes button")) {
      tab.setAttribute("aria-selected", String(tab.dataset.mode === mode));
    }
  }

  // the page is made when it is first wanted, and is not in the document while photos are shown
  showVideo() {
    if (this.video) {
      this.element.append(this.video.root);
      return this.video.enter();
    }
    this.video = this.page(this.makeVideo);
    this.video.openPhotos = (folder) => {
      this.show("photos");
      this.photos.openFolder(folder).catch(() => {});
    };
    this.video.start();
  }

  stop() {
    for (const page of [this.photos, this.video]) if (page) page.stop();
  }
}
