/** What the panel tells of something chosen in the graph: an entity, a relation, a hop of a path, a community. */

import { ApiError } from "../api.js";
import { h, icon, iconButton } from "../dom.js";
import { errorText } from "../errors.js";
import { percent } from "../i18n.js";
import { library } from "../library.js";
import { utf16Offsets } from "../offsets.js";
import { closePanel, openPanel } from "../panel.js";
import { pathLine } from "../path-line.js";
import { openPassage } from "../reader.js";
import { relationText } from "../relations.js";
import { namesOf } from "./legend.js";
import { isSaid } from "./model.js";
import { readEvidence, readPassages } from "./source.js";
import { swatch } from "./swatch.js";

const PASSAGES = 20;
const MORE_PASSAGES = 200;
const NEIGHBOURS = 8;
const AROUND = 110;

/** `on`: `onNode(node)`, `onLink(link)`, `onCentre(node)`, `onGone()`. */
export class Details {
  #on;
  #dataset = null;
  #model = null;
  #visit = 0;
  #title = h("h2", { tabindex: "-1" });
  #body = h("div", { class: "graph-details", tabindex: "0", label: "graph.details" });
  #close = iconButton("close", "action.close", () => {
    this.#on.onGone();
    closePanel();
  });
  #view = h("div", { class: "panel-view" }, h("header", {}, this.#title, this.#close), this.#body);

  constructor(on) {
    this.#on = on;
  }

  /** From now on this graph is spoken of. */
  setGraph(dataset, model) {
    this.#dataset = dataset;
    this.#model = model;
  }

  /** An entity: what it is, whom it stands beside, which passages mention it. */
  entity(node, from) {
    const { name, type, mentions, aliases } = node;
    const others = (aliases ?? []).filter((alias) => alias !== name);
    const facts = h(
      "p",
      { class: "entity-facts" },
      swatch(type),
      h("span", { t: `type.${type || "unknown"}` }),
      h("span", { t: ["graph.mentions", { n: mentions }] }),
    );
    const centre = h("button", {
      type: "button",
      class: "link",
      t: "graph.centre",
      onclick: () => this.#on.onCentre(node),
    });
    const also =
      others.length > 0 && h("p", { class: "quiet-note", t: ["graph.aliases", { names: others.join(" · ") }] });
    const passages = h("div", { class: "passages" }, loading());
    this.#open(name, from, [
      facts,
      also,
      h("p", {}, centre),
      ...this.#neighbours(node),
      h("h3", { t: "graph.passages" }),
      passages,
    ]);
    this.#fill(passages, async () =>
      this.#passages(node, await readPassages(this.#dataset, node.id, PASSAGES), passages),
    );
  }

  /** A link: every sentence that says how its two ends relate. */
  link(link, from) {
    const [source, target] = this.#endsOf(link);
    const sentences = h("div", { class: "passages" }, loading());
    const about = isSaid(link) ? "graph.said" : "graph.together";
    this.#open(`${source.name} – ${target.name}`, from, [
      h("div", { class: "ends" }, this.#chip(source), this.#chip(target)),
      h("h3", { t: about }),
      sentences,
    ]);
    this.#fill(sentences, async () => this.#evidence(await readEvidence(this.#dataset, source.id, target.id)));
  }

  /** A hop of an answer's path: the sentence that the answer went by. */
  step(step, from) {
    const [first, second] = step.entities;
    const ends = step.forward === false ? [second, first] : [first, second];
    const item = { ...step, source: ends[0], target: ends[1], title: library.titleOf(step.document_id) };
    this.#open(`${first} – ${second}`, from, [
      pathLine([step]),
      h("h3", { t: "graph.said" }),
      h("div", { class: "passages" }, this.#sentence(item)),
    ]);
  }

  /** A community: what it is about, and who is in it. */
  community(community, from) {
    const { nodes } = this.#model;
    const members = community.members.map((index) => nodes[index]).sort((p, q) => q.mentions - p.mentions);
    this.#open(namesOf(community, nodes, 3), from, [
      h("p", { class: "entity-facts" }, h("span", { t: ["graph.community.size", { n: members.length }] })),
      community.summary && h("p", { class: "summary" }, community.summary),
      h("h3", { t: "graph.members" }),
      expandable(members, (node) => this.#row(node), 40),
    ]);
  }

  #open(title, from, children) {
    this.#visit += 1;
    this.#title.textContent = title;
    this.#title.title = title;
    this.#body.replaceChildren(...children.filter(Boolean));
    this.#body.scrollTop = 0;
    openPanel(this.#view, from);
  }

  /** Put what `work` gives into a place, or say why it could not be had. */
  async #fill(place, work) {
    const visit = this.#visit;
    try {
      const children = await work();
      if (visit === this.#visit) place.replaceChildren(...children);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (visit === this.#visit) place.replaceChildren(h("p", { class: "quiet-note" }, errorText(error.code)));
    }
  }

  #endsOf({ edges: [edge] }) {
    return [this.#model.byId(edge.source), this.#model.byId(edge.target)];
  }

  #chip(node) {
    return h(
      "button",
      { type: "button", class: "chip", onclick: () => this.#on.onNode(node) },
      swatch(node.type),
      node.name,
    );
  }

  #neighbours(node) {
    const around = this.#model.neighbours(node.index);
    if (around.length === 0) return [];
    const list = expandable(around, ({ link, node: other }) => this.#neighbour(node, link, other), NEIGHBOURS);
    return [h("h3", { t: ["graph.neighbours", { n: around.length }] }), list];
  }

  /** Two ways on: to how the two relate, and to the other one. */
  #neighbour(node, link, other) {
    const [edge] = link.edges;
    const forward = edge.source === node.id;
    const known = relationText(edge.relation);
    const how = isSaid(link)
      ? [forward ? "" : "← ", h("span", known, known.t ? "" : edge.relation), forward ? " →" : ""]
      : [h("span", { t: "graph.beside" })];
    return h(
      "li",
      {},
      h("button", { type: "button", class: "how", tip: "graph.sentences", onclick: () => this.#on.onLink(link) }, how),
      this.#chip(other),
    );
  }

  #row(node) {
    return h("li", {}, this.#chip(node), h("small", { t: ["graph.mentions", { n: node.mentions }] }));
  }

  #passages(node, items, place) {
    if (items.length === 0) return [h("p", { class: "quiet-note", t: "graph.passages.none" })];
    const more = items.length === PASSAGES && node.mentions > PASSAGES;
    const all = h("button", { type: "button", class: "link", t: "nav.more" });
    all.addEventListener("click", () => {
      all.disabled = true;
      this.#fill(place, async () =>
        (await readPassages(this.#dataset, node.id, MORE_PASSAGES)).map((item) => this.#passage(item)),
      );
    });
    return [...items.map((item) => this.#passage(item)), more && all].filter(Boolean);
  }

  #passage(item) {
    const { start, text, mention_start: from, mention_end: to } = item;
    const [a, b] = utf16Offsets(text, [from - start, to - start]);
    const cut = cutRound(text, a, b);
    const reference = { ...item, quote: text, mention: { start: from, end: to } };
    return this.#card(reference, [cut.before, h("mark", {}, text.slice(a, b)), cut.after]);
  }

  #evidence(items) {
    if (items.length === 0) return [h("p", { class: "quiet-note", t: "graph.sentences.none" })];
    return items.map((item) => this.#sentence(item));
  }

  #sentence(item) {
    const names = [item.source, item.target].map((id) => this.#model.byId(id)?.name ?? id);
    const known = relationText(item.relation);
    const how = h(
      "p",
      { class: "card-how" },
      h("span", {}, names[0], " —", h("em", known, known.t ? "" : item.relation), "→ ", names[1]),
      item.confidence > 0 && sureness(item.confidence),
    );
    return this.#card({ ...item, quote: item.sentence }, [item.sentence], item.confidence > 0 && how);
  }

  /** A card that opens its place in the document. */
  #card(reference, words, head = null) {
    const back = () => openPanel(this.#view, null);
    const { title, page } = reference;
    const place = h(
      "p",
      { class: "card-place" },
      icon("document"),
      h("span", title ? {} : { t: "graph.open" }, title),
      page && h("span", { class: "card-page", t: ["cite.page", { page }] }),
      title && h("span", { class: "card-open", t: "graph.open" }),
    );
    const card = h(
      "button",
      { type: "button", class: "passage", onclick: () => openPassage(reference, card, back) },
      head,
      h("blockquote", {}, words),
      place,
    );
    return card;
  }
}

function sureness(confidence) {
  const meter = h("span", { class: "sure" });
  meter.style.setProperty("--share", confidence);
  return h("small", { tip: "graph.confidence" }, meter, percent(confidence));
}

function loading() {
  return h("p", { class: "quiet-note", t: "graph.loading" });
}

/** The text round a mention, cut at the edges of words. */
function cutRound(text, from, to) {
  const start = from > AROUND ? text.indexOf(" ", from - AROUND) + 1 || from - AROUND : 0;
  const first = start > from ? from - AROUND : start;
  const space = text.lastIndexOf(" ", to + AROUND);
  const last = to + AROUND >= text.length ? text.length : space > to ? space : to + AROUND;
  return {
    before: `${first > 0 ? "…" : ""}${text.slice(first, from)}`,
    after: `${text.slice(to, last)}${last < text.length ? "…" : ""}`,
  };
}

/** A list that shows `most` entries and a button for the rest. */
function expandable(items, entry, most) {
  const list = h("ul", { class: "neighbours" }, items.slice(0, most).map(entry));
  if (items.length <= most) return list;
  const rest = h("button", { type: "button", class: "link", t: ["graph.others", { n: items.length - most }] });
  rest.addEventListener("click", () => {
    list.append(...items.slice(most).map(entry));
    rest.parentElement.remove();
    list.children[most].querySelector("button").focus();
  });
  list.append(h("li", {}, rest));
  return list;
}
