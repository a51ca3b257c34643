// @ts-check
// The dialog of an export: choices, a bar while it is written, a link to the file.

import { icon, make, meter } from "./dom.js";
import { Failure } from "./failure.js";
import { watchJob } from "./jobs.js";
import { TEXT } from "./strings.js";

// fields: what to choose; begin(): starts it and gives {job}; seen(done, total) and done(result): words for the person
export function exportDialog(app, { fields, begin, seen, done, onchange = () => {} }) {
  const bar = meter(TEXT.exportLabels, { hidden: true });
  const note = make("p", { class: "cm-hint" });
  const start = make("button", { class: "cm-primary" }, TEXT.exportStart);
  const again = () => { // a file that is there is of the choices before
    const link = form.querySelector("a.cm-primary");
    if (link) link.replaceWith(start);
    start.disabled = false;
    note.textContent = "";
    bar.node.hidden = true;
    onchange();
  };
  const form = make("form", { class: "cm-form", onchange: again }, fields, bar.node, note, start);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    start.disabled = true;
    bar.node.hidden = false;
    note.classList.remove("cm-bad");
    try {
      const { job } = await begin();
      const result = await watchJob(app.call, job, ({ done, total }) => {
        bar.set(done, total);
        note.textContent = seen(done, total);
      });
      if (!result.objects && !result.pictures) throw new Failure(TEXT.nothingToExport);
      note.textContent = done(result);
      start.replaceWith(make("a", { class: "cm-primary", href: result.url, download: result.name }, icon("export"), `${TEXT.download} ${result.name}`));
    } catch (failure) {
      start.disabled = false;
      bar.node.hidden = true;
      note.textContent = failure.message;
      note.classList.add("cm-bad");
    }
  });
  app.dialogs.open(TEXT.exportLabels, form);
}
