// @ts-check
// One question in flight, only the newest of those waiting is kept; every answer is handed on with its question.

export class RequestQueue {
  constructor(ask, answered, failed) {
    this.ask = ask;
    this.answered = answered;
    this.failed = failed;
    this.current = null;
    this.waiting = null;
  }

  get busy() {
    return this.current !== null;
  }

  // whether a question that fits is asked or waits
  has(fits) {
    return [this.current, this.waiting].some((question) => question && fits(question));
  }

  put(question) {
    if (this.current && !this.current.zoom) this.waiting = question;
    else this.send(question); // also past a second look, which takes its time
  }

  forget() {
    this.waiting = null;
  }

  async send(question) {
    this.current = question;
    try {
      const answer = await this.ask(question);
      this.answered(question, answer);
    } catch (failure) {
      this.failed(question, failure);
    }
    if (this.current !== question) return; // overtaken
    this.current = null;
    const next = this.waiting;
    this.waiting = null;
    if (next) this.send(next);
  }
}
