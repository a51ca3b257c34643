// One question in flight, only the newest of those waiting is kept; every answer is handed on with its question.

class Asking {
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

  // whether a draft's mask may still change
  asks(draft) {
    return [this.current, this.waiting].some((question) => question && question.draft === draft);
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

class Failure extends Error {
  constructor(message, kind) {
    super(message);
    this.kind = kind;
  }
}
