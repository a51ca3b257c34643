// @ts-check
// The only file that knows Gradio: element, server functions and upload come from gr.HTML.

import { Modes } from "./modes.js";
import { PhotoApp } from "./photos/app.js";
import { Failure } from "./shared/failure.js";
import { TEXT } from "./shared/strings.js";
import { VideoApp } from "./video/app.js";

// told: what the page has to know of the server
export function mount(element, functions, upload, { largestUploadMb }) {
  const server = { call: (name, message) => callServer(functions, name, message), upload, largestUploadMb };
  if (element.clickmask) element.clickmask.stop();
  element.clickmask = new Modes(element, (root) => new PhotoApp(root, server), (root) => new VideoApp(root, server));
}

async function callServer(functions, name, message) {
  let answer;
  try {
    answer = await functions[name](message);
  } catch {
    answer = undefined;
  }
  if (answer === undefined || answer === null) throw new Failure(TEXT.offline, "Offline");
  if (answer.error !== undefined && answer.kind !== undefined) throw new Failure(answer.error, answer.kind);
  return answer;
}
