/** The path of an answer above the drawing, and as the drawing needs it. */

import { h, iconButton } from "../dom.js";
import { relationWords } from "../relations.js";
import { pathLine } from "../path-line.js";

/** `onClose()` takes the path away, `onStep(step, from)` shows a hop's sentence. */
export class PathBar {
  element = h("section", { class: "graph-path", label: "path.label", hidden: true });
  #onClose;
  #onStep;

  constructor(onClose, onStep) {
    this.#onClose = onClose;
    this.#onStep = onStep;
  }

  /** Show the steps of a path (null: none); gives `{nodes, hops}` for the drawing, or null. */
  show(steps, model) {
    this.element.hidden = !steps;
    if (!steps) return null;
    const drawn = steps.flatMap((step) => {
      const [a, b] = step.entities.map((name) => model.named(name));
      if (!a || !b) return [];
      return [{ a: a.index, b: b.index, forward: step.forward, words: relationWords(step.relation) }];
    });
    const missing = drawn.length < steps.length && h("small", { t: "path.gone" });
    this.element.replaceChildren(
      h(
        "div",
        {},
        pathLine(steps, (step, from) => this.#onStep(step, from)),
        missing || "",
      ),
      iconButton("close", "path.close", () => this.#onClose()),
    );
    return { nodes: [...new Set(drawn.flatMap(({ a, b }) => [a, b]))], hops: drawn };
  }
}
