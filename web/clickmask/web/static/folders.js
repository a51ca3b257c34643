// The dialog that opens another folder. (Part of Page.)

const Folders = {
  chooseFolder() {
    const body = this.dialogs.open(TEXT.openFolder, make("div", {}));
    const show = async (path) => {
      try {
        const answer = await this.call("list_folders", { path });
        replaceChildren(body, folderList(answer, this.roots, show, (place) => { this.dialogs.close(); this.openFolder(place).catch(() => {}); }));
      } catch (failure) {
        this.fail(failure);
      }
    };
    if (this.roots.length === 1 || this.state.folder) show(this.state.folder || this.roots[0]);
    else replaceChildren(body, this.roots.map((root) => make("button", { type: "button", class: "cm-entry", onclick: () => show(root) }, icon("folder"), root)));
  },
};

Object.assign(Page.prototype, Folders);

function folderList({ path, above, folders }, roots, show, open) {
  const entry = (place, name, kind) => make("button", { type: "button", class: "cm-entry", onclick: () => show(place) }, icon(kind), name);
  return make("div", { class: "cm-form" },
    make("p", { class: "cm-hint" }, path),
    make("div", { class: "cm-entries" }, above ? entry(above, TEXT.up, "left") : null, above ? [] : roots.filter((root) => root !== path).map((root) => entry(root, root, "left")), folders.map((one) => entry(one.path, one.name, "folder"))),
    make("button", { type: "button", class: "cm-primary", onclick: () => open(path) }, TEXT.openHere));
}
