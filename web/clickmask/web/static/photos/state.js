// @ts-check
// What the page of photos knows.

import { newDraft } from "../shared/draft.js";

export class PhotoState {
  constructor() {
    this.colors = ["#3b82f6"];
    this.folder = null;
    this.pictures = [];
    this.filter = "all";
    this.order = "name"; // of the pictures, see picture_order.js
    this.parts = []; // folders below with labels of their own: {path, name, pictures, done, objects}
    this.boxes = 0; // boxes that wait for a mask
    this.picture = null;
    this.categories = [];
    this.category = null;
    this.objects = [];
    this.hiddenObjects = new Set();
    this.selected = null;
    this.alsoSelected = new Set();
    this.search = "";
    this.proposals = [];
    this.pointedProposal = null;
    this.draft = newDraft();
    this.preview = null;
    this.tool = "click";
    this.swapped = false; // left click takes away
    this.rule = "auto";
    this.hover = true;
    this.zoom = true; // a second look at every mask of a model that wants it
    this.masksVisible = true;
    this.opacity = 0.45;
    this.brushRadius = 12; // picture pixels
    this.minIou = 0.99;
    this.acceptOnLeave = false; // a mask that was not accepted when another picture is opened
    this.phase = "loading"; // loading, encoding, ready, failed
  }

  colorOf(categoryId) {
    const category = this.categories.find((one) => one.id === categoryId);
    return category ? category.color : "#9ca3af";
  }

  nameOf(categoryId) {
    const category = this.categories.find((one) => one.id === categoryId);
    return category ? category.name : "?";
  }

  color() {
    return this.colorOf(this.category);
  }

  draftColor() {
    return this.draft.editing ? this.colorOf(this.draft.editing.category) : this.color();
  }

  get selectedObject() {
    return this.objects.find((object) => object.id === this.selected) || null;
  }

  // the selected object and those selected with it
  get selection() {
    return this.objects.filter((object) => object.id === this.selected || this.alsoSelected.has(object.id));
  }
}

const SETTINGS = ["order", "rule", "hover", "zoom", "opacity", "brushRadius", "minIou", "acceptOnLeave"];

export function loadSettings(state) {
  try {
    Object.assign(state, withNewNames(JSON.parse(localStorage.getItem("clickmask-settings") || "{}")));
  } catch { /* settings of a future version: start from the defaults */ }
}

/**
 * Settings that an older page kept, by the names of this one: zoom was called sharp.
 * @param {Record<string, any>} kept
 */
export function withNewNames({ sharp, ...kept }) {
  return sharp === undefined ? kept : { zoom: sharp, ...kept };
}

export function keepSettings(state) {
  const settings = Object.fromEntries(SETTINGS.map((key) => [key, state[key]]));
  try {
    localStorage.setItem("clickmask-settings", JSON.stringify(settings));
  } catch { /* private windows may refuse; the page works without */ }
}
