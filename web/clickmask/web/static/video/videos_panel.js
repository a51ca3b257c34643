// @ts-check
// The list of videos.

import { make, replaceChildren } from "../shared/dom.js";
import { VIDEO } from "../shared/strings.js";
import { Thumbnails } from "../shared/thumbnails.js";

export class VideosPanel {
  constructor(root, app) {
    this.app = app;
    this.head = root.querySelector(".cm-progress");
    this.list = make("div", { class: "cm-videos", role: "listbox", "aria-label": VIDEO.videos });
    root.querySelector(".cm-left").append(this.list);
    this.rows = new Map();
    this.thumbnails = new Thumbnails(this.list, async ([video]) => ({ [video]: (await app.call("video_thumbnail", { video })).url }), 1);
  }

  render() {
    const { videos } = this.app.state;
    this.head.textContent = videos.length ? VIDEO.count(videos.length) : "";
    this.rows = new Map(videos.map((entry) => [entry.path, this.row(entry)]));
    replaceChildren(this.list, videos.length ? [...this.rows.values()] : make("p", { class: "cm-empty" }, VIDEO.noVideos));
    this.thumbnails.watch(this.rows);
    this.mark();
  }

  row(entry) {
    const image = make("img", { alt: "", draggable: false });
    return make("button", { type: "button", class: "cm-item", role: "option", title: entry.name, onclick: () => this.app.library.goTo(entry.path) },
      make("span", { class: "cm-thumb" }, image), make("span", { class: "cm-name" }, make("span", {}, entry.name.split("/").pop()), make("small", { class: "cm-about" })));
  }

  // which one is open, and which have objects
  mark() {
    const { video, videos, shownThings } = this.app.state;
    for (const entry of videos) {
      const row = this.rows.get(entry.path);
      if (!row) continue; // it has just been added
      const open = Boolean(video) && entry.path === video.video;
      if (open) entry.begun = shownThings.length > 0;
      row.setAttribute("aria-selected", String(open));
      row.dataset.status = entry.begun ? "done" : "todo";
      row.querySelector("small").textContent = VIDEO.about(entry);
    }
  }
}
