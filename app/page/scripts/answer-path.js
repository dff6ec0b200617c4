/** How the graph led to a source: the path as a line, each hop with its sentence, and the way to see it drawn. */

import { h, icon } from "./dom.js";
import { percent } from "./i18n.js";
import { showPath } from "./graph-door.js";
import { library } from "./library.js";
import { pathLine } from "./path-line.js";
import { openPassage } from "./reader.js";

/** For a reference's `graph_context`; null when no path led to it. */
export function answerPath(context) {
  const steps = context?.path_steps ?? [];
  if (steps.length === 0) return null;
  const place = h("div", { class: "path-sentence", hidden: true });
  const line = pathLine(steps, (step, button) => toggle(line, place, step, button));
  for (const hop of line.querySelectorAll(".path-hop")) hop.ariaExpanded = "false";
  const see = h(
    "button",
    { type: "button", class: "path-show", onclick: () => showPath(steps, see) },
    icon("graph"),
    h("span", { t: "path.show" }),
  );
  return h("div", { class: "path", role: "group", label: "path.label" }, line, place, see);
}

/** Show the hop's sentence below the line, or put it away again. */
function toggle(line, place, step, button) {
  const opened = button.ariaExpanded === "true";
  for (const hop of line.querySelectorAll(".path-hop")) hop.ariaExpanded = String(hop === button && !opened);
  place.hidden = opened;
  if (!opened) place.replaceChildren(sentence(step));
}

function sentence(step) {
  const title = library.titleOf(step.document_id);
  const reference = { ...step, title, quote: step.sentence };
  const open = h("button", {
    type: "button",
    class: "link",
    t: "graph.open",
    onclick: () => openPassage(reference, open),
  });
  const sure = step.confidence > 0 && h("small", { t: ["path.sure", { percent: percent(step.confidence) }] });
  return h("div", {}, h("blockquote", {}, step.sentence), h("p", {}, h("span", {}, title), sure, open));
}
