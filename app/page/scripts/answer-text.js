/**
 * The text of an answer while it grows: drawn at most once per frame, and of a long text only the blocks that changed.
 */

import { annotate, markUnsupported } from "./annotate.js";
import { h } from "./dom.js";
import { blocksOf, renderBlock } from "./markdown.js";

const SHARE_OF_TIME = 3;

/** `cite(id)` makes the button for a source's number, or gives null when there is no such source. */
export class AnswerText {
  element = h("div", { class: "answer-text" });
  text = "";
  #unsupported = [];
  #blocks = [];
  #cite;
  #frame = 0;
  #notBefore = 0;

  constructor(cite) {
    this.#cite = cite;
  }

  /** Add a piece at the end. */
  append(piece) {
    this.text += piece;
    this.#soon();
  }

  /** Put another text in its place. */
  replace(text) {
    this.text = text;
    this.#soon();
  }

  /** Draw what there is now, with its unsupported sentences marked. */
  finish(unsupported = []) {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.#unsupported = unsupported;
    this.#draw();
  }

  /** Draw every block anew: other sources are known now. */
  sourcesChanged() {
    for (const old of this.#blocks.splice(0)) old.node.remove();
    if (this.text) this.#soon();
  }

  #soon() {
    this.#frame ||= requestAnimationFrame((now) => this.#onFrame(now));
  }

  /** Drawing gets a share of the time, so that even a huge answer leaves the page responsive. */
  #onFrame(now) {
    this.#frame = 0;
    if (now < this.#notBefore) {
      this.#soon();
      return;
    }
    const started = performance.now();
    this.#draw();
    const ended = performance.now();
    this.#notBefore = ended + (ended - started) * SHARE_OF_TIME;
  }

  #draw() {
    const blocks = blocksOf(markUnsupported(this.text, this.#unsupported));
    let same = 0;
    while (same < blocks.length && this.#blocks[same]?.raw === blocks[same].raw) same += 1;
    for (const old of this.#blocks.splice(same)) old.node.remove();
    for (const block of blocks.slice(same)) {
      const node = h("div", { class: "block" }, renderBlock(block));
      annotate(node, this.#cite);
      this.element.append(node);
      this.#blocks.push({ raw: block.raw, node });
    }
  }
}
