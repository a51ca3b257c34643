// @ts-check
// What went wrong, in words for a person, with the kind the server gave it.

export class Failure extends Error {
  constructor(message, kind) {
    super(message);
    this.kind = kind;
  }
}
