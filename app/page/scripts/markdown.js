/**
 * Markdown to safe nodes.
 *
 * What a model or a document says is untrusted. HTML in it is shown as text, pictures become links, and what marked
 * makes of the rest passes DOMPurify, which lets a short list of elements through and nothing that loads or runs.
 */

import { Marked } from "../vendor/marked.esm.js";
import DOMPurify from "../vendor/purify.es.mjs";

const OUTERMOST_HEADING = 3;
const ALLOWED = {
  ALLOWED_TAGS: [
    ..."p br hr h3 h4 h5 h6 strong em del code pre blockquote ul ol li".split(" "),
    ..."table thead tbody tr th td a sub sup".split(" "),
  ],
  ALLOWED_ATTR: ["href", "start", "align"],
  ALLOWED_URI_REGEXP: /^(?:https?:|mailto:)/i,
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  RETURN_DOM_FRAGMENT: true,
};

const HARMLESS = /^<\/?(?:br|sub|sup)\s*\/?>\s*$/i;
const SPECIAL = { "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;", "&": "&amp;" };

const marked = new Marked({
  gfm: true,
  breaks: true,
  renderer: {
    heading({ tokens, depth }) {
      const level = Math.min(depth - 1 + OUTERMOST_HEADING, 6);
      return `<h${level}>${this.parser.parseInline(tokens)}</h${level}>`;
    },
    image({ href, text }) {
      return `<a href="${escaped(href)}">${escaped(text || href)}</a>`;
    },
    html({ text, block }) {
      if (HARMLESS.test(text)) return text;
      return block ? `<p>${escaped(text)}</p>` : escaped(text);
    },
    text(token) {
      return token.tokens ? this.parser.parseInline(token.tokens) : escaped(token.text);
    },
    checkbox({ checked }) {
      return checked ? "☑ " : "☐ ";
    },
  },
  tokenizer: {
    // A half-streamed list under a line of text would flash up as a heading underlined with dashes.
    lheading() {},
  },
});

DOMPurify.addHook("afterSanitizeAttributes", (node) => {
  if (node.tagName !== "A") return;
  node.setAttribute("target", "_blank");
  node.setAttribute("rel", "noopener noreferrer nofollow");
});

/** The top-level blocks of a text, in order; each has its source in `raw`. */
export function blocksOf(text) {
  return marked.lexer(text).filter((token) => token.type !== "space" && token.type !== "def");
}

/** A block as a fragment that is safe to insert. */
export function renderBlock(block) {
  return DOMPurify.sanitize(marked.parser([block]), ALLOWED);
}

/** Text that HTML shows as it is; character references of the text keep their meaning, as Markdown wants it. */
function escaped(text) {
  return text.replace(/[<>"']|&(?!#\d{1,7};|#[xX][\da-fA-F]{1,6};|\w+;)/g, (character) => SPECIAL[character]);
}
