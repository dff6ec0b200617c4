/** The search of the graph view: names to look for, how far round them, and in which data set. */

import { h, icon } from "../dom.js";
import { say } from "../i18n.js";

const HOPS = [1, 2, 3];

/** `onSearch({dataset, q, hops})` hears what is wanted. */
export class SearchBar {
  #q = h("input", {
    type: "search",
    maxlength: "200",
    autocomplete: "off",
    spellcheck: "false",
    label: "graph.search.label",
    enterkeyhint: "search",
  });
  #hops = h("select", { label: "graph.hops.label" });
  #dataset = h("select", { label: "graph.dataset", hidden: true });
  element = h("form", { class: "graph-search", role: "search" }, this.#field(), this.#hops, this.#dataset);
  #onSearch;

  constructor(onSearch) {
    this.#onSearch = onSearch;
    say(this.#q, "placeholder", "graph.search.placeholder");
    this.#hops.append(...HOPS.map((n) => h("option", { value: n, t: ["graph.hops", { n }] })));
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#tell();
    });
    this.#q.addEventListener("search", () => this.#q.value === "" && this.#tell()); // the cross inside the field
    this.#hops.addEventListener("change", () => this.#q.value.trim() && this.#tell());
    this.#dataset.addEventListener("change", () => this.#tell());
  }

  /** Show what is being looked at. */
  show({ q, hops, dataset, datasets }, busy) {
    if (document.activeElement !== this.#q || !busy) this.#q.value = q;
    this.#hops.value = String(hops);
    this.#hops.hidden = !q;
    this.#dataset.hidden = datasets.length < 2;
    this.#dataset.replaceChildren(
      ...datasets.map(({ id }) => h("option", { value: id, selected: id === dataset }, id)),
    );
    this.element.setAttribute("aria-busy", busy);
  }

  #field() {
    return h("label", { class: "graph-field" }, icon("search"), this.#q);
  }

  #tell() {
    const dataset = this.#dataset.hidden ? null : this.#dataset.value;
    this.#onSearch({ dataset, q: this.#q.value.trim(), hops: Number(this.#hops.value) });
  }
}
