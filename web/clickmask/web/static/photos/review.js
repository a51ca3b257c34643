// @ts-check
// Going through imported and found objects, worst score first: keep or drop, and the next one is there.

const UNCHECKED_SOURCES = ["import", "auto", "box", "similar", "track"];

export class Review {
  /** @param {import("./app.js").PhotoApp} page */
  constructor(page) {
    this.page = page;
    this.isOn = false;
    this.total = 0;
  }

  // what is left to check on the picture, worst first
  get left() {
    return this.page.state.objects.filter(isUnchecked).sort((one, other) => (one.score ?? -1) - (other.score ?? -1));
  }

  get current() {
    return this.isOn ? this.left[0] || null : null;
  }

  toggle() {
    this.isOn = !this.isOn;
    this.opened();
  }

  // a picture is there, or the review begins
  opened() {
    this.total = this.left.length;
    this.show();
  }

  show() {
    const { current, page } = this;
    if (current) {
      page.objects.select(current.id);
      page.objects.show(current);
    }
    page.controls.renderCandidates();
  }

  keep() {
    const { current } = this;
    if (!current) return this.page.step(1);
    this.page.objects.change([{ id: current.id, before: current, after: { ...current, source: "checked" } }]);
    this.show();
  }

  drop() {
    const { current } = this;
    if (!current) return;
    this.page.similar.dropped(current);
    this.page.objects.remove(current.id);
    this.show();
  }

  leave() {
    if (!this.isOn) return false;
    this.isOn = false;
    this.page.controls.renderCandidates();
    return true;
  }
}

// nobody has looked at it yet
export function isUnchecked({ source }) {
  return UNCHECKED_SOURCES.includes(source);
}
