// @ts-check
// The list of pictures: progress, search, filter, thumbnails and states.

import { find, icon, make, meter, replaceChildren } from "../shared/dom.js";
import { TEXT } from "../shared/strings.js";
import { Thumbnails } from "../shared/thumbnails.js";
import { filterCounts, filteredPictures } from "./picture_filter.js";
import { ORDERS } from "./picture_order.js";

export class PicturesPanel {
  /** @param {HTMLElement} root @param {import("./app.js").PhotoApp} app */
  constructor(root, app) {
    this.app = app;
    this.bar = meter(TEXT.images);
    this.progress = make("span");
    find(root, ".cm-progress").append(this.bar.node, this.progress);
    this.search = make("input", {
      class: "cm-input", type: "search", placeholder: TEXT.search, "aria-label": TEXT.search,
      oninput: () => { app.state.search = this.search.value; this.render(); },
      onkeydown: (event) => this.searchKey(event),
    });
    this.filter = make("select", {
      class: "cm-input", "aria-label": TEXT.filter, onchange: () => { app.state.filter = this.filter.value; this.render(); app.focus(); },
    });
    this.order = make("select", {
      class: "cm-input", "aria-label": TEXT.order, onchange: () => { app.folder.sort(this.order.value); app.focus(); },
    }, ORDERS.map((order) => make("option", { value: order, selected: order === app.state.order }, TEXT.orders[order])));
    this.list = make("div", { class: "cm-pictures", role: "listbox", "aria-label": TEXT.images });
    this.parts = make("div", { class: "cm-parts" });
    this.boxes = make("button", { type: "button", class: "cm-plain cm-boxes", onclick: () => app.files.makeMasks() });
    find(root, ".cm-left").append(make("div", { class: "cm-find" }, this.search, this.filter, this.order, this.boxes, this.parts), this.list);
    this.rows = new Map();
    this.thumbnails = new Thumbnails(this.list, async (ids) => {
      const message = { folder: app.state.folder, pictures: ids.map(Number) };
      return (await app.call("thumbnails", message)).urls;
    }, 12);
  }

  get unfinished() {
    return this.app.drafts.pictures(this.app.state.folder);
  }

  get shown() {
    return filteredPictures(this.app.state.pictures, this.app.state, this.unfinished);
  }

  render() {
    const { state } = this.app;
    this.renderHead();
    const { unfinished } = this;
    this.rows = new Map(this.shown.map((picture) => [String(picture.id), this.row(picture, unfinished)]));
    const empty = make("p", { class: "cm-empty" }, state.pictures.length ? TEXT.nothingLike : TEXT.noPictures);
    replaceChildren(this.list, this.rows.size ? [...this.rows.values()] : empty);
    this.thumbnails.watch(this.rows);
    this.renderParts();
    this.renderBoxes();
    this.mark();
  }

  // folders below that have labels of their own
  renderParts() {
    const part = ({ path, name, pictures, done, objects }) => make("button", { type: "button", class: "cm-entry", title: path, onclick: () => this.app.openFolder(path).catch(() => {}) },
      icon("folder"), make("span", { class: "cm-name" }, make("span", {}, name), make("small", {}, TEXT.partAbout(done, pictures, objects))));
    replaceChildren(this.parts, this.app.state.parts.map(part));
    this.parts.hidden = !this.app.state.parts.length;
  }

  // words: how far it is, while masks are made of boxes
  renderBoxes(words = "") {
    const { boxes } = this.app.state;
    this.boxes.hidden = !boxes;
    this.boxes.disabled = Boolean(words);
    this.boxes.textContent = words || TEXT.boxesWaiting(boxes);
  }

  renderHead() {
    const { state } = this.app;
    const done = state.pictures.filter(({ status }) => status !== "todo" && status !== "redo").length, total = state.pictures.length;
    this.bar.set(done, total);
    this.progress.textContent = TEXT.progress(done, total);
    this.renderFilter();
  }

  renderFilter() {
    const { state } = this.app;
    const option = (filter, count) => make("option", { value: filter, selected: filter === state.filter }, TEXT.filterCount(this.nameOf(filter), count));
    const groups = filterCounts(state.pictures, state.categories, this.unfinished).filter(([, filters]) => filters.length);
    if (!groups.some(([, filters]) => filters.some(([filter]) => filter === state.filter)) && state.filter !== "all") groups[0][1].push([state.filter, 0]);
    replaceChildren(this.filter, option("all", state.pictures.length),
      groups.map(([group, filters]) => make("optgroup", { label: TEXT.filterGroups[group] }, filters.map(([filter, count]) => option(filter, count)))));
  }

  nameOf(filter) {
    return filter.startsWith("class:") ? this.app.state.nameOf(Number(filter.slice(6))) : TEXT.filters[filter];
  }

  focusSearch() {
    this.app.root.dataset.drawer = "left";
    this.search.focus();
    this.search.select();
  }

  // Enter opens the first one found, Esc shows all again
  searchKey(event) {
    if (event.key === "Escape") {
      this.search.value = this.app.state.search = "";
      this.render();
      this.app.focus();
    } else if (event.key === "Enter" && this.shown.length) {
      this.app.folder.goTo(this.shown[0].id);
      this.app.focus();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  row(picture, unfinished) {
    const image = make("img", { alt: "", draggable: false });
    const name = picture.name.split("/").pop(), folder = picture.name.slice(0, -name.length - 1);
    const row = make("button", { type: "button", class: "cm-item", role: "option", title: picture.name, onclick: () => this.app.folder.goTo(picture.id) },
      make("span", { class: "cm-thumb" }, image),
      make("span", { class: "cm-name" }, make("span", {}, name), folder && make("small", { class: "cm-dim" }, folder), make("small", { class: "cm-about" })));
    this.fill(row, picture, unfinished);
    return row;
  }

  // shows what may have changed about one picture
  update(picture) {
    this.renderHead();
    const row = this.rows.get(String(picture.id));
    if (row) this.fill(row, picture, this.unfinished);
  }

  fill(row, picture, unfinished) {
    row.dataset.status = picture.missing ? "missing" : picture.status;
    row.dataset.draft = String(unfinished.has(picture.id));
    const isDraft = unfinished.has(picture.id);
    const state = picture.missing ? TEXT.missing : picture.replaced ? TEXT.replaced(picture.replaced) : isDraft && picture.status === "todo" ? TEXT.unfinished : TEXT.status[picture.status];
    const parts = [state, picture.object_count || null, isDraft && state !== TEXT.unfinished ? TEXT.unfinished : null];
    row.querySelector(".cm-about").textContent = parts.filter(Boolean).join(" · ");
    row.title = [picture.name, picture.note].filter(Boolean).join("\n");
  }

  mark() {
    const { picture } = this.app.state;
    const current = picture && this.rows.get(String(picture.id));
    for (const row of this.rows.values()) row.setAttribute("aria-selected", String(row === current));
    if (current) current.scrollIntoView({ block: "nearest", inline: "nearest" });
  }
}
