// The list of pictures: thumbnails, status, filter and progress.

class PicturesPanel {
  constructor(root, app) {
    this.app = app;
    this.list = root.querySelector(".cm-pictures");
    this.filters = root.querySelector(".cm-left .cm-filters");
    this.progress = root.querySelector(".cm-progress");
    this.thumbnails = new Map();
    this.wanted = new Set();
    this.observer = new IntersectionObserver((entries) => this.seen(entries), { root: this.list, rootMargin: "300px" });
  }

  render() {
    const { state } = this.app;
    this.renderHead();
    this.rows = new Map();
    this.observer.disconnect();
    const rows = state.filtered.map((picture) => this.row(picture));
    const empty = make("p", { class: "cm-empty" }, state.pictures.length ? TEXT.nothingLike : TEXT.noPictures);
    replaceChildren(this.list, rows.length ? rows : empty);
    rows.forEach((row) => this.observer.observe(row));
    this.mark();
  }

  renderHead() {
    const { state } = this.app;
    const count = (status) => state.pictures.filter((picture) => picture.status === status).length;
    const done = count("done") + count("skipped"), total = state.pictures.length;
    const part = total ? 100 * done / total : 0;
    replaceChildren(this.progress,
      make("div", { class: "cm-meter", role: "progressbar", "aria-valuenow": done, "aria-valuemax": total }, make("i", { style: `width:${part}%` })),
      make("span", {}, TEXT.progress(done, total)));
    replaceChildren(this.filters, Object.keys(TEXT.filters).map((key) => make("button", {
      type: "button", role: "tab", "aria-selected": String(state.filter === key),
      onclick: () => { state.filter = key; this.render(); },
    }, TEXT.filters[key])));
  }

  row(picture) {
    const image = make("img", { alt: "", loading: "lazy", draggable: false });
    const name = picture.name.split("/").pop();
    const row = make("button", { type: "button", class: "cm-item", role: "option", title: picture.name, onclick: () => this.app.goTo(picture.id) },
      make("span", { class: "cm-thumb" }, image), make("span", { class: "cm-name" }, make("span", {}, name), make("small", {})));
    row.dataset.picture = picture.id;
    this.rows.set(picture.id, row);
    this.fill(picture);
    return row;
  }

  // shows what may have changed about one picture
  update(picture) {
    this.renderHead();
    this.fill(picture);
  }

  fill(picture) {
    const row = this.rows.get(picture.id);
    if (!row) return;
    row.dataset.status = picture.missing ? "missing" : picture.status;
    const count = picture.object_count;
    const about = picture.missing ? TEXT.missing : `${TEXT.status[picture.status]}${count ? ` · ${count}` : ""}`;
    row.querySelector("small").textContent = about;
    const url = this.thumbnails.get(picture.id);
    if (url) row.querySelector("img").src = url;
  }

  mark() {
    const { picture } = this.app.state;
    for (const [id, row] of this.rows || []) row.setAttribute("aria-selected", String(picture !== null && picture.id === id));
    const row = picture && this.rows.get(picture.id);
    if (row) row.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  forget() {
    this.thumbnails.clear();
  }

  seen(entries) {
    for (const entry of entries) {
      const id = Number(entry.target.dataset.picture);
      if (entry.isIntersecting && !this.thumbnails.has(id)) this.wanted.add(id);
    }
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.fetch(), 40);
  }

  async fetch() {
    if (this.fetching || !this.wanted.size) return;
    this.fetching = true;
    const pictures = [...this.wanted].slice(0, 12);
    pictures.forEach((id) => this.wanted.delete(id));
    try {
      const { urls } = await this.app.call("thumbnails", { folder: this.app.state.folder, pictures });
      for (const [id, url] of Object.entries(urls)) this.thumbnails.set(Number(id), url);
      for (const picture of this.app.state.pictures) if (urls[picture.id]) this.fill(picture);
    } catch { /* a missing thumbnail is no reason to interrupt anybody */ }
    this.fetching = false;
    this.fetch();
  }
}
