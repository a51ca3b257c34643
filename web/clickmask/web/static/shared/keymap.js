// @ts-check
// Which key does what: the commands of a page with the keys they come with, or those a person gave them.

import { strokeLabel, strokesOf } from "./strokes.js";

/**
 * @typedef {object} Command
 * @property {string} id its words are in COMMANDS
 * @property {string[]} keys the strokes it comes with
 * @property {(event: KeyboardEvent) => void} run
 * @property {(event: KeyboardEvent) => boolean} [when] the key is somebody else's otherwise
 */

export class Keymap {
  /** @param {Command[]} commands @param {Storage} storage @param {string} name of the page */
  constructor(commands, storage, name) {
    this.commands = commands;
    this.storage = storage;
    this.key = `clickmask-keys:${name}`;
    this.own = this.kept();
  }

  kept() {
    try {
      return JSON.parse(this.storage.getItem(this.key) || "{}");
    } catch {
      return {}; // of another version
    }
  }

  keysOf(id) {
    return this.own[id] || this.commands.find((command) => command.id === id).keys;
  }

  // the first key of a command as it is printed on the keyboard
  label(id) {
    const [first] = this.keysOf(id);
    return first ? strokeLabel(first) : "";
  }

  commandFor(event) {
    for (const stroke of strokesOf(event)) {
      const found = this.commands.find((command) => this.keysOf(command.id).includes(stroke));
      if (found) return found.when && !found.when(event) ? null : found;
    }
    return null;
  }

  // gives a command this one key; gives the command that loses it, or null
  assign(id, stroke) {
    const loser = this.commands.find((command) => command.id !== id && this.keysOf(command.id).includes(stroke)) || null;
    if (loser) this.own[loser.id] = this.keysOf(loser.id).filter((key) => key !== stroke);
    this.own[id] = [stroke];
    this.storage.setItem(this.key, JSON.stringify(this.own));
    return loser;
  }

  reset() {
    this.own = {};
    this.storage.removeItem(this.key);
  }
}
