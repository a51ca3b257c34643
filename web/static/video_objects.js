// The list of objects that are followed, and of videos.

class VideoObjectsPanel {
  constructor(root, app) {
    this.app = app;
    this.element = root.querySelector(".cm-objects");
    this.rows = new Map();
  }

  render() {
    const { state } = this.app;
    this.rows.clear();
    const rows = state.shownThings.map((thing, i) => this.row(thing, i));
    const add = make("button", { type: "button", class: "cm-plain cm-new", "aria-pressed": String(state.selected === null), onclick: () => { this.app.newObject(); this.app.focus(); } },
      icon("plus"), VIDEO.newObject, make("kbd", {}, "N"));
    replaceChildren(this.element,
      make("h2", {}, TEXT.objects, make("span", { class: "cm-count" }, String(rows.length || ""))),
      make("div", { class: "cm-list", role: "listbox", "aria-label": TEXT.objects }, rows.length ? rows : make("p", { class: "cm-empty" }, state.video ? VIDEO.noObjects : "")),
      state.video && add);
    this.update();
  }

  row(thing, i) {
    const { app } = this;
    const action = (name, title, run) => make("button", {
      type: "button", class: "cm-quiet", title, "aria-label": title, onclick: (event) => { event.stopPropagation(); run(); app.focus(); },
    }, icon(name));
    const hidden = app.state.hiddenObjects.has(thing.id);
    const row = make("div", {
      class: "cm-item cm-thing", role: "option", tabIndex: -1, "aria-selected": String(thing.id === app.state.selected), style: `--dot:${thing.color}`,
      onclick: () => { app.select(thing.id); app.focus(); }, ondblclick: () => app.rename(thing.id),
    },
    make("span", { class: "cm-dot" }),
    make("span", { class: "cm-name" }, make("b", {}, `${thing.name} ${thing.id}`), make("small", {})),
    make("span", { class: "cm-acts" },
      action("clear", VIDEO.clearHere, () => app.clearHere(thing.id)),
      action("absent", `${VIDEO.notHere}  (M)`, () => app.markAbsent(thing.id)),
      action("pencil", `${VIDEO.renameShort}  (R)`, () => app.rename(thing.id)),
      action(hidden ? "hidden" : "eye", hidden ? TEXT.show : TEXT.hide, () => app.toggleObject(thing.id)),
      action("bin", TEXT.remove, () => app.removeObject(thing.id))),
    i < 9 ? make("kbd", {}, String(i + 1)) : null);
    row.dataset.object = thing.id;
    row.dataset.hidden = hidden;
    this.rows.set(thing.id, row);
    return row;
  }

  // what is known on the frame that is shown
  update() {
    const { state } = this.app;
    for (const [id, row] of this.rows) {
      row.dataset.letter = state.letterAt(id, state.frame);
      row.querySelector("small").textContent = this.app.aboutFrame(id, state.frame);
      row.querySelector(".cm-acts button").hidden = !state.promptAt(id, state.frame);
    }
  }
}

class VideosPanel {
  constructor(root, app) {
    this.app = app;
    this.list = root.querySelector(".cm-videos");
    this.head = root.querySelector(".cm-progress");
    this.thumbnails = new Map();
    this.observer = new IntersectionObserver((entries) => this.seen(entries), { root: this.list, rootMargin: "200px" });
  }

  render() {
    const { state } = this.app;
    this.head.textContent = state.videos.length ? VIDEO.count(state.videos.length) : "";
    this.observer.disconnect();
    const rows = state.videos.map((entry) => this.row(entry));
    replaceChildren(this.list, rows.length ? rows : make("p", { class: "cm-empty" }, VIDEO.noVideos));
    rows.forEach((row) => this.observer.observe(row));
    this.mark();
  }

  row(entry) {
    const image = make("img", { alt: "", draggable: false });
    const kind = entry.is_folder ? VIDEO.kinds.frames : entry.name.split(".").pop();
    const row = make("button", { type: "button", class: "cm-item", role: "option", title: entry.name, onclick: () => this.app.goTo(entry.path) },
      make("span", { class: "cm-thumb" }, image), make("span", { class: "cm-name" }, entry.name.split("/").pop(), make("small", {})));
    row.dataset.kind = kind;
    row.dataset.video = entry.path;
    const url = this.thumbnails.get(entry.path);
    if (url) image.src = url;
    return row;
  }

  // which one is open, and which have objects
  mark() {
    const { video, videos, shownThings } = this.app.state;
    for (const row of this.list.querySelectorAll(".cm-item")) {
      const entry = videos.find((one) => one.path === row.dataset.video);
      const open = Boolean(video) && entry.path === video.video;
      if (open) entry.begun = shownThings.length > 0;
      row.setAttribute("aria-selected", String(open));
      row.dataset.status = entry.begun ? "done" : "todo";
      row.querySelector("small").textContent = entry.begun ? `${row.dataset.kind} · ${VIDEO.begun}` : row.dataset.kind;
    }
  }

  seen(entries) {
    this.wanted ||= new Set();
    for (const { isIntersecting, target } of entries) if (isIntersecting && !this.thumbnails.has(target.dataset.video)) this.wanted.add(target.dataset.video);
    this.fetch();
  }

  async fetch() {
    if (this.fetching || !this.wanted.size) return;
    this.fetching = true;
    const [video] = this.wanted;
    this.wanted.delete(video);
    try {
      const { url } = await this.app.call("video_thumbnail", { video });
      this.thumbnails.set(video, url);
      const row = [...this.list.querySelectorAll(".cm-item")].find((one) => one.dataset.video === video);
      if (row && url) row.querySelector("img").src = url;
    } catch { /* a missing thumbnail is no reason to interrupt anybody */ }
    this.fetching = false;
    this.fetch();
  }
}
