/** Under an answer, two small chips: what was asked, and how it seemed to be felt. */

import { h } from "./dom.js";
import { percent } from "./i18n.js";

const PLEASANT = 0.15;

/** Chips of one turn; nothing is shown until something was understood, and no feeling where none was read. */
export class Understood {
  #intent = null;
  #emotion = null;
  element = h("ul", { class: "understood", label: "understood.label", hidden: true });

  /** Take in one event of the turn. */
  hear(event) {
    if (event.type === "intent") this.#intent = event;
    else if (event.type === "emotion") this.#emotion = event;
    else return;
    const chips = [this.#intent && intentChip(this.#intent), this.#emotion && emotionChip(this.#emotion)];
    this.element.replaceChildren(...chips.filter(Boolean));
    this.element.hidden = this.element.childElementCount === 0;
  }
}

function intentChip(event) {
  const name = event.crisis ? "understood.crisis" : `intent.${event.label}`;
  return chip(event, {}, h("span", { t: name }));
}

function emotionChip(event) {
  if (event.label === "neutral") return null;
  const { valence, is_sarcastic: sarcastic, mixed_emotions: mixed = [] } = event;
  const feeling = valence >= PLEASANT ? "pleasant" : valence <= -PLEASANT ? "unpleasant" : "even";
  const names = mixed.length > 1 ? mixed.slice(0, 2) : [event.label];
  return chip(
    event,
    { "data-feeling": feeling },
    names.map((name) => h("span", { t: `emotion.${name}` })),
    sarcastic && h("span", { class: "aside", t: "understood.ironic" }),
    event.handover && h("span", { class: "aside", t: "understood.handover" }),
  );
}

/** What was understood with how sure that is; who decided is told on asking. */
function chip({ confidence, decided_by: by }, properties, ...words) {
  return h("li", { description: `by.${by}`, ...properties }, words.flat(), h("span", {}, percent(confidence)));
}
