/** The graph view: a part of the graph drawn and listed, with what is searched, chosen, and why there is none. */

import { ApiError } from "../api.js";
import { h, icon, iconButton } from "../dom.js";
import { languageChanges, t, translate } from "../i18n.js";
import { library } from "../library.js";
import { announce } from "../notices.js";
import { closePanel } from "../panel.js";
import { relationWords } from "../relations.js";
import { addressOfGraph, asked } from "./address.js";
import { GraphCanvas } from "./canvas.js";
import { Details } from "./details.js";
import { Layout } from "./layout.js";
import { Legend } from "./legend.js";
import { Listing } from "./listing.js";
import { GraphModel } from "./model.js";
import { PathBar } from "./path-bar.js";
import { SearchBar } from "./search-bar.js";
import { LIMITS, readAround, readPart } from "./source.js";
import { absence, failure, remarks } from "./states.js";
import { tipOf } from "./tip.js";

const REFRESH_MS = 800;
const NARROW = 700;

/** Fills `host`; `doors` are `go(address, state)`, `leave()` and `add()`. */
export class GraphView {
  #doors;
  #asked = null;
  #limit = LIMITS[0];
  #part = null;
  #model = new GraphModel({ nodes: [], edges: [], communities: [] });
  #visit = 0;
  #timer = 0;
  #known = "";
  #title = h("h2", { tabindex: "-1", t: "graph.title" });
  #search = new SearchBar((wanted) => this.#go(wanted));
  #remarks = h("div", { class: "graph-remarks", role: "status" });
  #progress = h("progress", { class: "graph-progress", max: "1", label: "graph.arranging", hidden: true });
  #over = h("div", { class: "graph-over", hidden: true });
  #canvas = new GraphCanvas((found) => tipOf(found, this.#model));
  #layout = new Layout((places, done, share) => this.#placed(places, done, share));
  #legend = new Legend({
    onColour: (by) => this.#repaint((scene) => (scene.colourBy = by)),
    onHidden: (hidden) => this.#repaint((scene) => (scene.hidden = hidden)),
    onCommunity: (community) => this.#details.community(community, this.#canvas.element),
  });
  #listing = new Listing((node, from) => this.#choose({ node: node.index, link: null }, from));
  #path = new PathBar(
    () => this.#go({ ...this.#asked, steps: null }),
    (step, from) => this.#details.step(step, from),
  );
  #details = new Details({
    onNode: (node) => this.#choose({ node: node.index, link: null }, null, true),
    onLink: (link) => this.#choose({ node: -1, link }, null, true),
    onCentre: (node) => this.#go({ ...this.#asked, q: node.name, steps: null }),
    onGone: () => this.#repaint((scene) => (scene.selected = { node: -1, link: null })),
  });
  #toggle = h(
    "button",
    { type: "button", class: "pill graph-as-list", "aria-pressed": "false", onclick: () => this.#toggleList() },
    icon("list"),
    h("span", { t: "graph.list" }),
  );

  constructor(host, doors) {
    this.#doors = doors;
    const back = iconButton("back", "graph.leave", () => doors.leave());
    const head = h("header", { class: "graph-head" }, back, this.#title, this.#search.element, this.#toggle);
    this.#stage = h(
      "div",
      { class: "graph-stage" },
      this.#canvas.figure,
      this.#progress,
      h("div", { class: "graph-top" }, this.#path.element, this.#remarks),
      this.#legend.element,
      this.#zoomButtons(),
      this.#over,
    );
    host.replaceChildren(head, this.#stage, this.#listing.element);
    this.#canvas.scene.wordsFor = ({ edges }) => relationWords(edges[0].relation);
    this.#canvas.onResize = (width) => this.#makeRoom(width);
    this.#canvas.addEventListener("pick", ({ detail }) => this.#choose(detail, this.#canvas.element));
    library.addEventListener("change", () => this.#libraryChanged());
    languageChanges.addEventListener("change", () => this.#spoken());
  }

  #stage;

  /** Show what the address asks for; `fresh` when the view has just been entered. */
  async follow(fresh) {
    if (fresh) this.#title.focus({ preventScroll: true });
    const wanted = asked();
    const same = JSON.stringify(wanted) === JSON.stringify(this.#asked);
    if (same && this.#part) return this.#refresh();
    this.#asked = wanted;
    this.#limit = LIMITS[0];
    await this.#load(false);
  }

  /** Put away: nothing is worked on any more. */
  rest() {
    clearTimeout(this.#timer);
    this.#visit += 1;
    this.#layout.stop();
  }

  /** Whether there was something chosen to let go. */
  escape() {
    const { selected } = this.#canvas.scene;
    if (selected.node < 0 && !selected.link) return false;
    this.#repaint((scene) => (scene.selected = { node: -1, link: null }));
    return true;
  }

  /** The pixel of the page where the named entity is drawn; with a second name, the middle of their link. */
  pixelOf(name, other = name) {
    const [a, b] = [name, other].map((one) => this.#canvas.pixelOf(this.#model.named(one).index));
    return [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
  }

  get #dataset() {
    return this.#asked.dataset ?? library.datasets?.find(({ id }) => id === "default")?.id ?? library.datasets?.[0]?.id;
  }

  #go(wanted) {
    this.#doors.go(addressOfGraph(wanted), wanted.steps ? { graphPath: wanted.steps } : null);
  }

  /** Ask the server and show what it says; `keepView` when it is the same part, grown older. */
  async #load(keepView) {
    const visit = (this.#visit += 1);
    clearTimeout(this.#timer);
    this.#busy(true);
    try {
      if (!library.datasets) await library.refresh();
      const part = await this.#ask();
      if (visit === this.#visit) this.#show(part, keepView);
    } catch (error) {
      if (visit === this.#visit) this.#failed(error);
    } finally {
      if (visit === this.#visit) this.#busy(false);
    }
  }

  async #ask() {
    const { q, hops, steps } = this.#asked;
    const dataset = this.#dataset;
    if (!dataset) return { nodes: [], edges: [], communities: [], complete: true, degraded: false };
    if (steps) return readAround(dataset, [...new Set(steps.flatMap(({ entities }) => entities))]);
    return readPart(dataset, { q, hops, limit: this.#limit });
  }

  #busy(busy) {
    this.#stage.setAttribute("aria-busy", busy);
    this.#search.show({ ...this.#asked, dataset: this.#dataset, datasets: library.datasets ?? [] }, busy);
    if (busy && !this.#part) this.#cover([h("p", { class: "quiet-note", t: "graph.loading" })]);
  }

  #show(part, keepView) {
    this.#known = this.#stateOfLibrary();
    if (keepView && unchanged(this.#part, part)) {
      this.#part = part;
      return this.#tell();
    }
    const before = new Map(this.#model.nodes.map(({ id, index }) => [id, index]));
    const old = this.#canvas.scene.places;
    const chosen = this.#canvas.scene.selected;
    const chosenId = chosen.node >= 0 ? this.#model.nodes[chosen.node]?.id : null;
    this.#part = part;
    this.#model = new GraphModel(part);
    const places = placesFrom(before, old, this.#model);
    this.#canvas.show(this.#model, places, keepView);
    const again = chosenId ? this.#model.byId(chosenId) : this.#asked.q && this.#model.named(this.#asked.q);
    if (again) this.#canvas.scene.selected = { node: again.index, link: null };
    this.#details.setGraph(this.#dataset, this.#model);
    this.#canvas.scene.path = this.#path.show(this.#asked.steps, this.#model);
    this.#legend.show(this.#model);
    this.#listing.show(this.#model);
    this.#makeRoom();
    this.#progress.hidden = this.#model.nodes.length === 0;
    this.#progress.removeAttribute("value");
    this.#layout.start(this.#model, places);
    this.#tell();
  }

  /** The drawing keeps clear of the legend where there is room enough. */
  #makeRoom(width = this.#canvas.figure.clientWidth) {
    const { element } = this.#legend;
    this.#legend.fold(width < NARROW);
    const left = element.open && width > 2.8 * element.offsetWidth ? element.offsetWidth + 70 : 60;
    this.#canvas.margins = { ...this.#canvas.margins, left, top: this.#asked?.steps ? 130 : 75 };
  }

  /** Say what is shown, and what is missing. */
  #tell() {
    const part = this.#part;
    const empty = this.#model.nodes.length === 0;
    const status = library.statusOf(this.#dataset);
    const actions = {
      all: () => this.#go({ dataset: this.#asked.dataset }),
      more: () => this.#more(),
      again: () => this.#load(true),
      add: () => this.#doors.add(),
    };
    this.#stage.classList.toggle("empty", empty);
    this.#remarks.replaceChildren(
      ...remarks(part, this.#model, { ...this.#asked, status, limit: this.#limit }, actions),
    );
    if (empty) this.#cover(absence({ ...this.#asked, status, degraded: part.degraded }, actions));
    else this.#over.hidden = true;
    this.#canvas.element.setAttribute("aria-description", t("graph.keys"));
    announce(this.#remarks.textContent || this.#over.textContent);
    if (status?.status === "indexing") this.#later();
  }

  #cover(children) {
    this.#over.replaceChildren(...children);
    this.#over.hidden = false;
  }

  #failed(error) {
    if (!(error instanceof ApiError)) throw error;
    this.#part = null;
    this.#layout.stop();
    this.#model = new GraphModel({ nodes: [], edges: [], communities: [] });
    this.#canvas.show(this.#model, new Float32Array(0), false);
    this.#canvas.scene.path = this.#path.show(null, this.#model);
    this.#legend.show(this.#model);
    this.#listing.show(this.#model);
    this.#remarks.replaceChildren();
    this.#progress.hidden = true;
    this.#stage.classList.add("empty");
    this.#cover(failure(error.code, () => this.#load(false)));
  }

  #more() {
    this.#limit = LIMITS[Math.min(LIMITS.indexOf(this.#limit) + 1, LIMITS.length - 1)];
    this.#load(false);
  }

  #placed(places, done, share) {
    this.#progress.value = share;
    if (done) this.#progress.hidden = true;
    this.#canvas.setPlaces(places);
    if (done) this.#settled();
  }

  #settled() {
    this.#stage.dataset.settled = this.#part?.graph_version ?? "";
    const { path } = this.#canvas.scene;
    if (path?.nodes.length) this.#canvas.focusOn(path.nodes);
  }

  /** Show what was picked: in the drawing, and in the panel. */
  #choose({ node, link }, from, follow = false) {
    this.#repaint((scene) => (scene.selected = { node, link }));
    if (node >= 0) this.#details.entity(this.#model.nodes[node], from);
    else if (link) this.#details.link(link, from);
    else closePanel();
    if (follow) this.#reveal(node >= 0 ? [node] : [link.a, link.b]);
  }

  /** Bring nodes into view when they are outside it. */
  #reveal(indices) {
    const { left, top, right, bottom } = this.#canvas.element.getBoundingClientRect();
    const outside = indices.some((index) => {
      const [x, y] = this.#canvas.pixelOf(index);
      return x < left + 20 || x > right - 20 || y < top + 20 || y > bottom - 20;
    });
    if (outside) this.#canvas.focusOn([...new Set(indices.flatMap((i) => [i, ...this.#around(i)]))]);
  }

  #around(index) {
    return this.#model.neighbours(index).map(({ node }) => node.index);
  }

  #repaint(change) {
    change(this.#canvas.scene);
    this.#canvas.paint();
  }

  #toggleList() {
    const listed = this.#stage.hidden;
    this.#stage.hidden = !listed;
    this.#listing.element.hidden = listed;
    this.#toggle.setAttribute("aria-pressed", !listed);
    if (!listed) this.#listing.focus();
    this.#canvas.paint();
  }

  #zoomButtons() {
    return h(
      "div",
      { class: "graph-zoom", role: "group", label: "graph.zoom" },
      iconButton("plus", "graph.zoom.in", () => this.#canvas.step(1)),
      iconButton("minus", "graph.zoom.out", () => this.#canvas.step(-1)),
      iconButton("fit", "graph.zoom.fit", () => this.#canvas.fit()),
    );
  }

  #spoken() {
    translate(this.#stage);
    if (!this.#part) return;
    this.#legend.show(this.#model);
    this.#listing.show(this.#model);
    this.#path.show(this.#asked.steps, this.#model);
    this.#tell();
    this.#canvas.paint();
  }

  #stateOfLibrary() {
    const status = library.statusOf(this.#dataset);
    return JSON.stringify([status?.stage, status?.notices, status?.counts]);
  }

  #libraryChanged() {
    if (!this.#stage.checkVisibility() && !this.#listing.element.checkVisibility()) return;
    if (this.#asked && this.#stateOfLibrary() !== this.#known) this.#later();
  }

  #later() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#refresh(), REFRESH_MS);
  }

  /** Ask again, and stay where the reader looks. */
  async #refresh() {
    await library.refresh().catch(() => {});
    const status = library.statusOf(this.#dataset);
    if (this.#stateOfLibrary() !== this.#known) await this.#load(true);
    else if (status?.status === "indexing") this.#later();
  }
}

/** Whether a part drawn before is still what there is. */
function unchanged(before, now) {
  const same = (list) => before[list].length === now[list].length;
  return before?.graph_version === now.graph_version && same("nodes") && same("edges");
}

/** The places that nodes had before; NaN for new ones. */
function placesFrom(before, old, model) {
  const places = new Float32Array(2 * model.nodes.length).fill(NaN);
  for (const { id, index } of model.nodes) {
    const was = before.get(id);
    if (was !== undefined && 2 * was + 1 < old.length) places.set(old.subarray(2 * was, 2 * was + 2), 2 * index);
  }
  return places;
}
