/** What the colours and shapes mean; each line can be switched off, and colours can tell communities apart instead. */

import { h } from "../dom.js";
import { preference, prefer } from "../preferences.js";
import { ENTITY_TYPES, typeClass } from "../relations.js";
import { COMMUNITY_COLOURS } from "./palette.js";
import { swatch } from "./swatch.js";

const NAMED = 2;

/** `onColour(by)`, `onHidden(set of kinds)` and `onCommunity(community)` hear what the reader does. */
export class Legend {
  #by = preference("graph.colour", "type");
  #hidden = new Set();
  #model = null;
  #chosen = false;
  #on;
  #choices = h("div", { class: "segments", role: "group", label: "graph.colour" });
  #entries = h("ul");
  element = h("details", { class: "graph-legend" }, h("summary", { t: "graph.legend" }), this.#choices, this.#entries);

  constructor(on) {
    this.#on = on;
    this.element.firstElementChild.addEventListener("click", () => (this.#chosen = true));
    this.#choices.append(...["type", "community"].map((by) => this.#choice(by)));
  }

  /** Show what a model holds. */
  show(model) {
    this.#model = model;
    this.element.hidden = model.nodes.length === 0;
    this.#draw();
    this.#on.onColour(this.#by);
  }

  /** Fold it up where there is little room, or not, unless the reader has chosen. */
  fold(folded) {
    if (!this.#chosen) this.element.open = !folded;
  }

  #choice(by) {
    const pressed = String(by === this.#by);
    const choose = () => {
      this.#by = by;
      prefer("graph.colour", by);
      for (const button of this.#choices.children) button.ariaPressed = String(button.dataset.by === by);
      this.#draw();
      this.#on.onColour(by);
    };
    return h("button", {
      type: "button",
      "data-by": by,
      "aria-pressed": pressed,
      t: `graph.by.${by}`,
      onclick: choose,
    });
  }

  #draw() {
    this.#entries.replaceChildren(...(this.#by === "type" ? this.#types() : this.#communities()));
  }

  #types() {
    const counts = new Map();
    for (const { type } of this.#model.nodes) counts.set(type, (counts.get(type) ?? 0) + 1);
    const known = [...ENTITY_TYPES, ""].filter((type) => counts.has(type));
    return known.map((type) => this.#type(type, counts.get(type)));
  }

  #type(type, count) {
    const toggle = () => {
      if (!this.#hidden.delete(type)) this.#hidden.add(type);
      button.setAttribute("aria-pressed", !this.#hidden.has(type));
      this.#on.onHidden(this.#hidden);
    };
    const button = h(
      "button",
      { type: "button", "aria-pressed": String(!this.#hidden.has(type)), tip: "graph.hide", onclick: toggle },
      swatch(type),
      h("span", { t: `type.${type || "unknown"}` }),
      h("small", {}, count),
    );
    button.removeAttribute("aria-label"); // its own words name it
    delete button.dataset.tTip;
    return h("li", {}, button);
  }

  #communities() {
    const { communities, nodes } = this.#model;
    if (communities.length === 0) return [h("li", { class: "quiet-note", t: "graph.communities.none" })];
    return communities.slice(0, COMMUNITY_COLOURS.length).map((community, i) => {
      const words = namesOf(community, nodes);
      return h(
        "li",
        {},
        h(
          "button",
          { type: "button", onclick: () => this.#on.onCommunity(community) },
          swatch("person", typeClass(COMMUNITY_COLOURS[i])),
          h("span", {}, words),
          h("small", {}, community.members.length),
        ),
      );
    });
  }
}

/** A community is called by its weightiest members. */
export function namesOf({ members }, nodes, most = NAMED) {
  const weighty = members.map((index) => nodes[index]).sort((p, q) => q.mentions - p.mentions || q.degree - p.degree);
  return weighty
    .slice(0, most)
    .map(({ name }) => name)
    .join(", ");
}
