// One question in flight, only the newest of those waiting is kept; every answer is handed on with its question.

class Asking {
  constructor(ask, answered, failed) {
    this.ask = ask;
    this.answered = answered;
    this.failed = failed;
    this.busy = false;
    this.waiting = null;
  }

  put(question) {
    if (this.busy) this.waiting = question;
    else this.send(question);
  }

  forget() {
    this.waiting = null;
  }

  async send(question) {
    this.busy = true;
    try {
      const answer = await this.ask(question);
      this.answered(question, answer);
    } catch (failure) {
      this.failed(question, failure);
    }
    this.busy = false;
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
