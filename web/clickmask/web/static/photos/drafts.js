// @ts-check
// Unfinished drafts, one a picture: with their answers while the page is open, as prompts over a reload.

import { hasPrompt, newDraft, withMask } from "../shared/draft.js";
import { Mask } from "../shared/mask.js";

const KEY = "clickmask-drafts:";

export class Drafts {
  /** @param {Storage} storage */
  constructor(storage) {
    this.storage = storage;
    this.inMemory = new Map(); // folder:picture -> draft
    this.marked = new Map(); // folder -> ids of its pictures that have one
  }

  keep(folder, picture, draft) {
    if (picture === null || picture === undefined) return;
    const kept = this.kept(folder);
    const there = picture in kept;
    if (isUnfinished(draft)) {
      this.inMemory.set(`${folder}:${picture}`, draft);
      const { points, box, row, view, base, editing } = draft;
      kept[picture] = { points, box, row, view, base: base && base.text, editing: editing && editing.id };
    } else {
      this.inMemory.delete(`${folder}:${picture}`);
      delete kept[picture];
    }
    if (there || picture in kept) this.write(folder, kept);
    this.pictures(folder)[picture in kept ? "add" : "delete"](picture);
  }

  // the pictures of a folder that have one
  pictures(folder) {
    if (!this.marked.has(folder)) this.marked.set(folder, new Set(Object.keys(this.kept(folder)).map(Number)));
    return this.marked.get(folder);
  }

  // the draft of a picture whose objects are these; null where nothing was begun
  of(folder, picture, objects) {
    const open = this.inMemory.get(`${folder}:${picture}`);
    if (open) return open;
    const kept = this.kept(folder)[picture];
    if (!kept) return null;
    const { points, box, row, view } = kept;
    const editing = objects.find((object) => object.id === kept.editing) || null;
    const base = kept.base ? Mask.fromText(kept.base) : null;
    const draft = newDraft({ points, box, row, view, editing, base });
    return base ? withMask(draft, base, 0) : draft;
  }

  forget(folder) {
    this.marked.delete(folder);
    for (const key of [...this.inMemory.keys()]) if (key.startsWith(`${folder}:`)) this.inMemory.delete(key);
  }

  kept(folder) {
    try {
      return JSON.parse(this.storage.getItem(KEY + folder) || "{}");
    } catch {
      return {}; // of another version
    }
  }

  write(folder, kept) {
    try {
      if (Object.keys(kept).length) this.storage.setItem(KEY + folder, JSON.stringify(kept));
      else this.storage.removeItem(KEY + folder);
    } catch { /* the storage is full: the drafts are kept while the page is open */ }
  }
}

// whether work would be lost with the draft: an object that was only opened again is no draft
export function isUnfinished(draft) {
  return hasPrompt(draft) || (draft.base !== null && (!draft.editing || draft.base !== draft.editing.mask));
}
