// The switch between photos and video: two pages in one window, of which one steps aside.

class Modes {
  constructor(element, photos, makeVideo) {
    this.element = element;
    this.photos = photos;
    this.makeVideo = makeVideo;
    this.video = null;
    this.build(photos);
    this.show(localStorage.getItem("clickmask-mode") === "video" ? "video" : "photos");
  }

  build(root) {
    root.querySelector(".cm-modes").append(...Object.entries(VIDEO.modes).map(([mode, words]) => {
      const tab = make("button", { type: "button", role: "tab", onclick: () => this.show(mode) }, words);
      tab.dataset.mode = mode;
      return tab;
    }));
  }

  show(mode) {
    localStorage.setItem("clickmask-mode", mode);
    this.photos.inert = mode === "video";
    if (mode === "video") this.showVideo();
    else if (this.video) this.video.leave();
    this.photos.focus({ preventScroll: true });
    if (this.video && mode === "video") this.video.focus();
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
    const root = this.element.querySelector(".cm-video-page").content.firstElementChild.cloneNode(true);
    this.element.append(root);
    this.build(root);
    this.video = root.clickmask = this.makeVideo(root);
    this.video.start();
  }
}
