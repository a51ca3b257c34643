// @ts-check
// The list of pictures: thumbnails, status, filter and progress.

import { make, meter, replaceChildren } from "../shared/dom.js";
import { TEXT } from "../shared/strings.js";
import { Thumbnails } from "../shared/thumbnails.js";

export class PicturesPanel {
  constructor(root, app) {
    this.app = app;
    this.bar = meter(TEXT.images);
    this.progress = make("span");
    root.querySelector(".cm-progress").append(this.bar.node, this.progress);
    this.filters = make("div", { class: "cm-filters", role: "tablist" });
    this.list = make("div", { class: "cm-pictures", role: "listbox", "aria-label": TEXT.images });
    root.querySelector(".cm-left").append(this.filters, this.list);
    this.rows = new Map();
    this.thumbnails = new Thumbnails(this.list, async (ids) => {
      const message = { folder: app.state.folder, pictures: ids.map(Number) };
      return (await app.call("thumbnails", message)).urls;
    }, 12);
  }

  render() {
    const { state } = this.app;
    this.renderHead();
    this.rows = new Map(state.filtered.map((picture) => [String(picture.id), this.row(picture)]));
    const empty = make("p", { class: "cm-empty" }, state.pictures.length ? TEXT.nothingLike : TEXT.noPictures);
    replaceChildren(this.list, this.rows.size ? [...this.rows.values()] : empty);
    this.thumbnails.watch(this.rows);
    this.mark();
  }

  renderHead() {
    const { state } = this.app;
    const count = (status) => state.pictures.filter((picture) => picture.status === status).length;
    const done = count("done") + count("skipped"), total = state.pictures.length;
    this.bar.set(done, total);
    this.progress.textContent = TEXT.progress(done, total);
    replaceChildren(this.filters, Object.keys(TEXT.filters).map((key) => make("button", {
      type: "button", role: "tab", "aria-selected": String(state.filter === key),
      onclick: () => { state.filter = key; this.render(); },
    }, TEXT.filters[key])));
  }

  row(picture) {
    const image = make("img", { alt: "", draggable: false });
    const name = picture.name.split("/").pop();
    const row = make("button", { type: "button", class: "cm-item", role: "option", title: picture.name, onclick: () => this.app.folder.goTo(picture.id) },
      make("span", { class: "cm-thumb" }, image), make("span", { class: "cm-name" }, make("span", {}, name), make("small", {})));
    this.fill(row, picture);
    return row;
  }

  // shows what may have changed about one picture
  update(picture) {
    this.renderHead();
    const row = this.rows.get(String(picture.id));
    if (row) this.fill(row, picture);
  }

  fill(row, picture) {
    row.dataset.status = picture.missing ? "missing" : picture.status;
    const count = picture.object_count;
    const about = picture.missing ? TEXT.missing : `${TEXT.status[picture.status]}${count ? ` · ${count}` : ""}`;
    row.querySelector("small").textContent = about;
  }

  mark() {
    const { picture } = this.app.state;
    const current = picture && this.rows.get(String(picture.id));
    for (const row of this.rows.values()) row.setAttribute("aria-selected", String(row === current));
    if (current) current.scrollIntoView({ block: "nearest", inline: "nearest" });
  }
}
