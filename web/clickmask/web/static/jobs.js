// Follows a job of the server to its end. (Part of Page.)

Page.prototype.watch = async function watch(job, seen) {
  for (;;) {
    const message = await this.call("job", { job });
    seen(message);
    if (message.state === "done") return message.result;
    if (message.state !== "running") throw new Failure(message.error || message.state, message.state);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
};
