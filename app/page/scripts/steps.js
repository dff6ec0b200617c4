/** How an answer was made: which engine and model, what was understood, and how long each step took. */

import { h, icon } from "./dom.js";
import { duration, knows, percent } from "./i18n.js";

/** A closed strip under the answer that tells all when opened. */
export class Steps {
  #summary = h("summary", { label: "steps.label" });
  #facts = h("dl", { class: "facts" });
  #bars = h("dl", { class: "bars" });
  element = h(
    "details",
    { class: "steps", hidden: true, ontoggle: () => this.#inView() },
    this.#summary,
    h("div", {}, this.#facts, this.#bars),
  );
  #start = null;
  #model = null;

  /** Take in one event of the turn. */
  hear(event) {
    if (event.type === "start") this.#started(event);
    if (event.type === "intent") this.#fact("intent", label("intent", event), certainty(event));
    if (event.type === "emotion") this.#fact("emotion", label("emotion", event), certainty(event));
    if (event.type === "model") this.#chosen(event);
    if (event.type === "done") this.#ended(event.usage);
    if (event.type === "error") this.#summarise(null);
  }

  #inView() {
    if (this.element.open) this.element.scrollIntoView({ block: "nearest" });
  }

  #started(event) {
    this.#start = event;
    this.#facts.replaceChildren();
    this.#fact("engine", h("span", { t: `engine.${event.coordinator}` }));
    this.#fact("variant", event.variant, h("span", { t: `reason.${event.reason.toLowerCase()}` }));
  }

  #chosen(event) {
    this.#model = event.model;
    this.#fact("model", event.model, h("span", { t: `reason.${event.reason.toLowerCase()}` }));
  }

  #ended(usage) {
    const { prompt_tokens: read, completion_tokens: written, tokens_counted: counted } = usage;
    this.#fact("tokens", h("span", { t: ["steps.tokens.value", { read, written, counted }] }));
    if (usage.cost > 0) this.#fact("cost", `$${usage.cost.toPrecision(2)}`);
    if (usage.cache_hit) this.#fact("model", h("span", { t: "steps.cached" }));
    this.#bars.replaceChildren(...bars(usage));
    this.#summarise(usage.total_ms);
  }

  #fact(name, value, note) {
    const detail = h("dd", {}, value, note && h("small", {}, note));
    this.#facts.append(h("div", {}, h("dt", { t: `steps.${name}` }), detail));
  }

  #summarise(total) {
    if (!this.#start) return;
    const parts = [h("span", { t: `engine.${this.#start.coordinator}` }), this.#model, total && duration(total)];
    const shown = parts.filter(Boolean).map((part) => h("span", {}, part));
    this.#summary.replaceChildren(icon("steps"), ...shown, icon("chevron"));
    this.element.hidden = false;
  }
}

/** Known labels are translated, new ones read as they are. */
function label(kind, { label: name }) {
  return h("span", { t: `${kind}.${name}` });
}

function certainty({ confidence, decided_by: by }) {
  return [`${percent(confidence)} · `, h("span", { t: `by.${by}` })];
}

function bars({ node_ms: steps, total_ms: total }) {
  const longest = Math.max(...Object.values(steps), 0.001);
  const rows = Object.entries(steps).map(([name, ms]) => bar(name, ms, ms / longest));
  const sum = h("div", { class: "total" }, h("dt", { t: "steps.total" }), h("dd", {}, h("span"), duration(total)));
  return [...rows, sum];
}

function bar(name, ms, share) {
  const fill = h("span", { class: "share" });
  fill.style.setProperty("--share", share);
  const key = `node.${name}`;
  return h("div", {}, h("dt", knows(key) ? { t: key } : {}, knows(key) ? "" : name), h("dd", {}, fill, duration(ms)));
}
