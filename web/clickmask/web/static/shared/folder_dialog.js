// @ts-check
// The dialog that opens another folder.

import { icon, make, replaceChildren } from "./dom.js";
import { TEXT } from "./strings.js";

export class FolderDialog {
  constructor(page) {
    this.page = page;
  }

  open() {
    const { folder } = this.page.state, { roots } = this.page;
    this.body = this.page.dialogs.open(TEXT.openFolder, make("div", {}));
    if (roots.length === 1 || folder) this.show(folder || roots[0]);
    else replaceChildren(this.body, roots.map((root) => this.entry(root, root, "folder")));
  }

  async show(path) {
    try {
      replaceChildren(this.body, this.list(await this.page.call("list_folders", { path })));
    } catch (failure) {
      this.page.fail(failure);
    }
  }

  list({ path, above, folders }) {
    const others = above ? [] : this.page.roots.filter((root) => root !== path);
    const choose = () => { this.page.dialogs.close(); this.page.openFolder(path).catch(() => {}); };
    return make("div", { class: "cm-form" },
      make("p", { class: "cm-hint" }, path),
      make("div", { class: "cm-entries" },
        above ? this.entry(above, TEXT.up, "left") : null,
        others.map((root) => this.entry(root, root, "left")),
        folders.map((one) => this.entry(one.path, one.name, "folder"))),
      make("button", { type: "button", class: "cm-primary", onclick: choose }, TEXT.openHere));
  }

  entry(place, name, kind) {
    return make("button", { type: "button", class: "cm-entry", onclick: () => this.show(place) }, icon(kind), name);
  }
}
