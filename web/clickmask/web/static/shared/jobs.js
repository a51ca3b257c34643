// @ts-check
// Follows a job of the server to its end.

import { Failure } from "./failure.js";

const JOB_POLL_MS = 200;

// gives the job's result; seen({done, total}) is told on the way
export async function watchJob(call, job, seen) {
  for (;;) {
    const message = await call("job", { job });
    seen(message);
    if (message.state === "done") return message.result;
    if (message.state !== "running") throw new Failure(message.error || message.state, message.state);
    await new Promise((resolve) => setTimeout(resolve, JOB_POLL_MS));
  }
}
