/** The same part of the graph as a list: for keyboards and screen readers, and for whoever prefers to read. */

import { h } from "../dom.js";
import { swatch } from "./swatch.js";

const PAGE = 200;

/** `onChoose(node, from)` hears which entity the reader opens. */
export class Listing {
  #onChoose;
  #rows = h("tbody");
  #more = h("button", { type: "button", class: "quiet", t: "nav.more", hidden: true, onclick: () => this.#add() });
  #waiting = [];
  #head = h("h3", { tabindex: "-1", class: "unseen", t: "graph.list.title" });
  element = h(
    "div",
    { class: "graph-list", hidden: true },
    this.#head,
    h(
      "table",
      {},
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          h("th", { scope: "col", t: "graph.column.name" }),
          h("th", { scope: "col", t: "graph.column.type" }),
          h("th", { scope: "col", class: "number", t: "graph.column.mentions" }),
          h("th", { scope: "col", class: "number", t: "graph.column.relations" }),
        ),
      ),
      this.#rows,
    ),
    this.#more,
  );

  constructor(onChoose) {
    this.#onChoose = onChoose;
  }

  /** List a model, the most mentioned first. */
  show(model) {
    this.#waiting = model.ranked();
    this.#rows.replaceChildren();
    this.#add();
  }

  /** Put the focus on the list. */
  focus() {
    this.#head.focus();
  }

  #add() {
    this.#rows.append(...this.#waiting.splice(0, PAGE).map((node) => this.#row(node)));
    this.#more.hidden = this.#waiting.length === 0;
  }

  #row(node) {
    const { name, type, mentions, degree } = node;
    const open = h("button", { type: "button", onclick: () => this.#onChoose(node, open) }, swatch(type), name);
    return h(
      "tr",
      {},
      h("th", { scope: "row" }, open),
      h("td", { t: `type.${type || "unknown"}` }),
      h("td", { class: "number" }, mentions),
      h("td", { class: "number" }, degree),
    );
  }
}
