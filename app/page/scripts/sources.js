/** The sources of one answer: the numbered buttons in its text and the list below it. */

import { answerPath } from "./answer-path.js";
import { h } from "./dom.js";
import { quoteOf, withCard } from "./quote-card.js";
import { openPassage } from "./reader.js";

/** What an answer may cite and what it did cite. */
export class Sources {
  element = h("section", { class: "sources", label: "refs.label", hidden: true });
  #references = new Map();
  #citations = [];

  /** The passages that were found (`refs`). */
  found(references) {
    this.#references = new Map(references.map((reference) => [reference.id, reference]));
  }

  /** The passages that sentences rest on (`done`), in the order of the sentences. */
  cited(citations) {
    this.#citations = citations;
    for (const citation of citations)
      if (!this.#references.has(citation.id)) this.#references.set(citation.id, citation);
    this.#list();
  }

  /** A button for `[id]` in the text, or null when there is no such source. */
  button(id) {
    const reference = this.#references.get(id);
    if (!reference) return null;
    const label = ["cite.open", { id, title: reference.title }];
    const button = h("button", { type: "button", class: "cite", label, "data-source": id }, id);
    button.addEventListener("click", () => openPassage(this.#behind(button), button));
    return withCard(button, () => quoteOf(this.#behind(button)));
  }

  /** A source may be cited for several sentences with a quote each: the button's place among its like decides. */
  #behind(button) {
    const id = button.dataset.source;
    const buttons = [...button.closest(".answer-text").querySelectorAll(`[data-source="${id}"]`)];
    const citations = this.#citations.filter((citation) => citation.id === id);
    const own = citations.length === buttons.length ? citations[buttons.indexOf(button)] : citations[0];
    return own ?? this.#references.get(id);
  }

  #list() {
    const ids = new Set(this.#citations.map((citation) => citation.id));
    const all = [...this.#references.values()];
    const cited = all.filter(({ id }) => ids.has(id)).map((reference) => this.#entry(reference));
    const others = all.filter(({ id }) => !ids.has(id)).map((reference) => this.#entry(reference));
    this.element.hidden = all.length === 0;
    this.element.replaceChildren(h("h3", { t: "refs.label", hidden: cited.length === 0 }), h("ol", {}, cited));
    if (others.length > 0) {
      const summary = h("summary", { t: ["refs.others", { n: others.length }] });
      this.element.append(h("details", {}, summary, h("ol", {}, others)));
    }
  }

  #entry(reference) {
    const { id, title } = reference;
    const cited = this.#citations.find((citation) => citation.id === id) ?? reference;
    const { page, quote } = cited;
    const open = h(
      "button",
      { type: "button", class: "source", label: ["cite.open", { id, title }], onclick: () => openPassage(cited, open) },
      h("span", { class: "source-number" }, id),
      h("span", { class: "source-title" }, title),
      page && h("span", { class: "source-page", t: ["cite.page", { page }] }),
      h("span", { class: "source-quote" }, quote),
    );
    return h("li", {}, open, answerPath(reference.graph_context ?? cited.graph_context));
  }
}
