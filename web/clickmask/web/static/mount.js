// The only file that knows Gradio: element, server and upload come from gr.HTML.

async function call(name, message) {
  let answer;
  try {
    answer = await server[name](message);
  } catch {
    answer = undefined;
  }
  if (answer === undefined || answer === null) throw new Failure(TEXT.offline, "Offline");
  if (answer.error !== undefined && answer.kind !== undefined) throw new Failure(answer.error, answer.kind);
  return answer;
}

if (element.clickmask) element.clickmask.stop();
element.clickmask = new Modes(element, (root) => new App(root, call, upload), (root) => new VideoApp(root, call, upload));
