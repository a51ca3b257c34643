// @ts-check
// Thumbnails of the rows of a list, fetched when the rows come into sight.

export class Thumbnails {
  // fetch(keys): resolves to data URLs by key, of as many keys as a batch has
  constructor(list, fetch, batch) {
    this.fetch = fetch;
    this.batch = batch;
    this.rows = new Map();
    this.wanted = new Set();
    this.observer = new IntersectionObserver((entries) => this.seen(entries), { root: list, rootMargin: "300px" });
    this.forget();
  }

  forget() {
    this.urls = new Map(); // answers that are still on their way fill the old one
    this.wanted.clear();
  }

  // rows: key -> row with an image
  watch(rows) {
    this.rows = rows;
    this.observer.disconnect();
    this.wanted.clear();
    for (const [key, row] of rows) {
      row.dataset.thumbnail = key;
      if (this.urls.has(key)) this.fill(key);
      else this.observer.observe(row);
    }
  }

  seen(entries) {
    for (const { isIntersecting, target } of entries) if (isIntersecting) this.wanted.add(target.dataset.thumbnail);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.run(), 40);
  }

  async run() {
    if (this.fetching || !this.wanted.size) return;
    this.fetching = true;
    const { urls } = this;
    const keys = [...this.wanted].slice(0, this.batch);
    keys.forEach((key) => this.wanted.delete(key));
    try {
      for (const [key, url] of Object.entries(await this.fetch(keys))) urls.set(key, url);
      if (urls === this.urls) keys.forEach((key) => this.fill(key));
    } catch { /* a missing thumbnail is no reason to interrupt anybody */ }
    this.fetching = false;
    this.run();
  }

  fill(key) {
    const row = this.rows.get(key);
    const url = this.urls.get(key);
    if (row && url) row.querySelector("img").src = url;
  }
}
