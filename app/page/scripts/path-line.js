/** A path from entity to entity as a line that a person reads: A —founded by→ B ←born in— C. */

import { h } from "./dom.js";
import { relationText } from "./relations.js";

/** The line; with `onStep(step, button)` each relation is a button. */
export function pathLine(steps, onStep = null) {
  const parts = [h("b", {}, steps[0].entities[0])];
  steps.forEach((step, i) => {
    if (i > 0 && step.entities[0] !== steps[i - 1].entities[1]) parts.push("; ", h("b", {}, step.entities[0]));
    parts.push(" ", hop(step, onStep), " ", h("b", {}, step.entities[1]));
  });
  return h("p", { class: "path-line" }, parts);
}

function hop(step, onStep) {
  const forward = step.forward !== false;
  const known = relationText(step.relation);
  const words = h("span", known, known.t ? "" : step.relation);
  const inside = [
    h("span", { class: "path-shaft" }, forward ? "—" : "←"),
    words,
    h("span", { class: "path-shaft" }, forward ? "→" : "—"),
  ];
  if (!onStep) return h("span", { class: "path-hop" }, inside);
  const button = h("button", { type: "button", class: "path-hop", onclick: () => onStep(step, button) }, inside);
  return button;
}
