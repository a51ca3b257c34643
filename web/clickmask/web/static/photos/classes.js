// @ts-check
// The classes: choose, add, change and remove; every change of the list is one undoable step.

import { icon, make } from "../shared/dom.js";
import { isEmptyDraft } from "../shared/draft.js";
import { chooseFiles } from "../shared/file_choice.js";
import { TEXT } from "../shared/strings.js";
import { findClass } from "./class_finder.js";

export class Classes {
  /** @param {import("./app.js").PhotoApp} page */
  constructor(page) {
    this.page = page;
  }

  get state() {
    return this.page.state;
  }

  choose(id) {
    this.state.category = id;
    const { draft, selectedObject } = this.state;
    if (draft.editing) this.page.objects.relabel(draft.editing.id, id);
    else if (selectedObject && isEmptyDraft(draft)) this.page.objects.relabel(selectedObject.id, id);
    this.page.panels.classes.render();
    this.page.stage.refresh();
  }

  chooseNumber(number) {
    const category = this.state.categories[number - 1];
    if (category) this.choose(category.id);
  }

  find() {
    findClass(this.page);
  }

  async askNew() {
    const name = await this.page.dialogs.ask(TEXT.newClass);
    if (name) await this.add([name]);
  }

  async add(names) {
    const { categories } = this.state;
    const known = new Set(categories.map((one) => one.name));
    const fresh = [...new Set(names.map((name) => name.trim()))].filter((name) => name && !known.has(name));
    const added = fresh.map((name, i) => this.made(name, i));
    if (added.length && await this.save([...categories, ...added])) {
      this.choose(added[0].id);
      this.page.toasts.show(TEXT.classesAdded(added.length), "good");
    }
  }

  made(name, i) {
    const { categories, colors } = this.state;
    const id = Math.max(0, ...categories.map((one) => one.id)) + 1 + i;
    return { id, name, color: colors[(categories.length + i) % colors.length] };
  }

  async edit(id) {
    const color = make("input", { type: "color", class: "cm-color", value: this.state.colorOf(id) });
    const remove = make("button", {
      type: "button", class: "cm-plain", disabled: this.state.categories.length < 2,
      onclick: () => { this.page.dialogs.close(); this.remove(id); },
    }, icon("bin"), TEXT.removeClass);
    const others = this.state.categories.filter((one) => one.id !== id);
    const into = make("select", { class: "cm-input" }, make("option", { value: "" }, TEXT.mergeIntoNone), others.map((one) => make("option", { value: one.id }, one.name)));
    const merging = make("label", { class: "cm-field" }, make("span", {}, TEXT.mergeInto), into);
    const more = make("div", { class: "cm-row" }, make("label", { class: "cm-check" }, color, TEXT.classColor), make("span", { class: "cm-space" }), remove);
    const name = await this.page.dialogs.ask(TEXT.editClass, this.state.nameOf(id), more, others.length ? merging : null);
    if (name && into.value) await this.merge(id, Number(into.value));
    else if (name) this.changeOne(id, { name, color: color.value });
  }

  // all objects of a class get another one, in the whole folder
  async merge(from, to) {
    const { folder } = this.state;
    try {
      await this.page.call("merge_category", { folder, from, to });
      await this.page.saving.settled();
      await this.page.folder.reload();
    } catch (failure) {
      this.page.fail(failure);
    }
  }

  changeOne(id, change) {
    return this.save(this.state.categories.map((one) => (one.id === id ? { ...one, ...change } : one)));
  }

  remove(id) {
    if (this.state.categories.length < 2) return this.page.toasts.show(TEXT.lastClass);
    return this.save(this.state.categories.filter((one) => one.id !== id));
  }

  // one undoable step
  async save(categories) {
    const before = this.state.categories;
    try {
      await this.send(categories);
    } catch (failure) {
      this.page.fail(failure);
      return false;
    }
    this.page.history.add({ undo: () => this.send(before), redo: () => this.send(categories) });
    return true;
  }

  async send(categories) {
    const { state } = this;
    state.categories = (await this.page.call("save_categories", { folder: state.folder, categories })).categories;
    if (!state.categories.some((one) => one.id === state.category)) state.category = state.categories[0].id;
    this.page.panels.classes.render();
    this.page.panels.objects.render();
    this.page.stage.refresh();
  }

  async importList() {
    const [file] = await chooseFiles(".txt,.json,.csv");
    if (!file) return;
    const names = classNames(await file.text());
    if (names.length) await this.add(names);
    else this.page.toasts.show(TEXT.importClassesHint, "error");
  }
}

// names from a COCO file, a JSON list, or lines of text
function classNames(text) {
  try {
    const data = JSON.parse(text);
    const list = Array.isArray(data) ? data : data.categories || [];
    return list.map((one) => String(typeof one === "object" ? one.name ?? "" : one));
  } catch {
    return text.split(/\r?\n/).map((line) => line.split(",")[0]);
  }
}
