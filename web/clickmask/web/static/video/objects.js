// @ts-check
// The objects that are followed: new, select, rename, delete, hide.

import { smallestAt } from "../shared/pointer.js";
import { VIDEO } from "../shared/strings.js";

export class VideoObjects {
  /** @param {import("./app.js").VideoApp} page */
  constructor(page) {
    this.page = page;
  }

  get state() {
    return this.page.state;
  }

  startNew() {
    this.select(null);
  }

  select(id) {
    this.state.selected = id;
    this.page.objectsChanged();
  }

  selectNumber(number) {
    const thing = this.state.shownThings[number - 1];
    if (thing) this.select(thing.id);
  }

  selectAt(x, y) {
    const under = smallestAt(this.state.objects, x, y);
    this.select(under ? under.id : null);
  }

  async rename(id = this.state.selected) {
    const thing = this.state.thing(id);
    if (!thing) return this.page.toasts.show(VIDEO.selectFirst);
    const name = await this.page.dialogs.ask(VIDEO.rename, thing.name);
    if (name && name !== thing.name) this.change(id, { name });
  }

  removeSelected() {
    this.remove(this.state.selected);
  }

  remove(id) {
    if (this.state.thing(id)) this.change(id, { removed: true });
  }

  change(id, change) {
    const thing = this.state.things.find((one) => one.id === id);
    const back = Object.fromEntries(Object.keys(change).map((key) => [key, thing[key]]));
    this.page.history.add({ undo: () => this.put(id, back), redo: () => this.put(id, change) });
    return this.put(id, change).catch(() => {});
  }

  async put(id, change) {
    const { state } = this, { video } = state;
    await this.page.prompts.allSaid();
    if (state.video !== video) return;
    const { name, removed } = { ...state.things.find((one) => one.id === id), ...change };
    this.page.setSaving("saving");
    try {
      const work = await this.page.call("video_object", { video: video.video, revision: state.revision, object: id, name, removed });
      if (state.video !== video) return this.page.setSaving("saved");
      state.take(work);
    } catch (failure) {
      if (state.video !== video) return this.page.fail(failure);
      await this.page.prompts.reload(failure);
      throw failure;
    }
    this.page.setSaving("saved");
    if (!removed) state.selected = id;
    this.page.player.frames.touchAll();
    this.page.player.refresh();
    this.page.objectsChanged();
  }

  toggle(id) {
    const { hiddenObjects } = this.state;
    if (!hiddenObjects.delete(id)) hiddenObjects.add(id);
    this.page.objectsChanged();
  }
}
