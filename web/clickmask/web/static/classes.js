// The list of classes. (Part of App.)

const Classes = {
  chooseClass(id) {
    this.state.category = id;
    const { draft, selectedObject } = this.state;
    if (draft.editing) this.relabel(draft.editing.id, id);
    else if (selectedObject && isEmptyDraft(draft)) this.relabel(selectedObject.id, id);
    this.classes.render();
    this.stage.refresh();
  },

  chooseClassNumber(number) {
    const category = this.state.categories[number - 1];
    if (category) this.chooseClass(category.id);
  },

  async addClass() {
    const name = await this.dialogs.ask(TEXT.newClass);
    if (name) await this.addClasses([name]);
  },

  async addClasses(names) {
    const { categories } = this.state;
    const known = new Set(categories.map((one) => one.name));
    const fresh = [...new Set(names.map((name) => name.trim()))].filter((name) => name && !known.has(name));
    const added = fresh.map((name, i) => this.newClass(name, i));
    if (added.length && await this.saveClasses([...categories, ...added])) {
      this.chooseClass(added[0].id);
      this.toasts.show(TEXT.classesAdded(added.length), "good");
    }
  },

  newClass(name, i) {
    const { categories, colors } = this.state;
    const id = Math.max(0, ...categories.map((one) => one.id)) + 1 + i;
    return { id, name, color: colors[(categories.length + i) % colors.length] };
  },

  async editClass(id) {
    const color = make("input", { type: "color", class: "cm-color", value: this.state.colorOf(id) });
    const remove = make("button", {
      type: "button", class: "cm-plain", disabled: this.state.categories.length < 2,
      onclick: () => { this.dialogs.close(); this.removeClass(id); },
    }, icon("bin"), TEXT.removeClass);
    const more = make("div", { class: "cm-row" }, make("label", { class: "cm-check" }, color, TEXT.classColor), make("span", { class: "cm-space" }), remove);
    const name = await this.dialogs.ask(TEXT.editClass, this.state.nameOf(id), more);
    if (name) this.changeClass(id, { name, color: color.value });
  },

  changeClass(id, change) {
    return this.saveClasses(this.state.categories.map((one) => (one.id === id ? { ...one, ...change } : one)));
  },

  removeClass(id) {
    if (this.state.categories.length < 2) return this.toasts.show(TEXT.lastClass);
    return this.saveClasses(this.state.categories.filter((one) => one.id !== id));
  },

  // one undoable step
  async saveClasses(categories) {
    const before = this.state.categories;
    try {
      await this.sendClasses(categories);
    } catch (failure) {
      this.fail(failure);
      return false;
    }
    this.steps.add({ undo: () => this.sendClasses(before), redo: () => this.sendClasses(categories) });
    return true;
  },

  async sendClasses(categories) {
    const { state } = this;
    state.categories = (await this.call("save_categories", { folder: state.folder, categories })).categories;
    if (!state.categories.some((one) => one.id === state.category)) state.category = state.categories[0].id;
    this.classes.render();
    this.objects.render();
    this.stage.refresh();
  },

  async importClasses() {
    const file = await chooseFile(".txt,.json,.csv");
    if (!file) return;
    const names = classNames(await file.text());
    if (names.length) await this.addClasses(names);
    else this.toasts.show(TEXT.importClassesHint, "error");
  },
};

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

function chooseFile(accept, multiple = false) {
  return new Promise((resolve) => {
    const input = make("input", { type: "file", accept, multiple });
    input.addEventListener("change", () => resolve(multiple ? [...input.files] : input.files[0]));
    input.addEventListener("cancel", () => resolve(multiple ? [] : null));
    input.click();
  });
}
