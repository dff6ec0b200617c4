/** Has places found for the nodes of a graph, in a worker. */

import { radiusOf } from "./shapes.js";

const WORKER = "/page/scripts/graph/layout-worker.js";
const policy = globalThis.trustedTypes?.createPolicy("graph-layout", {
  createScriptURL: (address) => {
    if (address !== WORKER) throw new TypeError(address);
    return address;
  },
});

/** `onPlaces(places, done, share)` hears places as they get better: x and y by node, and how far the layout is. */
export class Layout {
  #worker = null;
  #id = 0;
  #onPlaces;

  constructor(onPlaces) {
    this.#onPlaces = onPlaces;
  }

  /** Begin with a model; `places` (x and y by node) is NaN where there is none yet. */
  start(model, places) {
    if (model.nodes.length === 0) return this.stop();
    this.#worker ??= this.#hired();
    this.#id += 1;
    const links = Uint32Array.from(model.links.flatMap(({ a, b }) => [a, b]));
    const strengths = Float32Array.from(model.links, ({ confidence }) => 0.35 + 0.65 * confidence);
    const radii = Float32Array.from(model.nodes, (node) => radiusOf(node));
    const groups = Int32Array.from(model.communityOf);
    this.#worker.postMessage({ id: this.#id, links, strengths, radii, groups, places });
  }

  /** Give up; nothing more is heard. */
  stop() {
    this.#id += 1;
    this.#worker?.terminate();
    this.#worker = null;
  }

  #hired() {
    const worker = new Worker(policy ? policy.createScriptURL(WORKER) : WORKER, { type: "module" });
    worker.addEventListener("message", ({ data: { id, places, done, share } }) => {
      if (id === this.#id) this.#onPlaces(places, done, share);
    });
    return worker;
  }
}
