/** Puts what the answer rests on into its rendered text: `[1]` becomes a button, a doubtful sentence is underlined. */

import { h } from "./dom.js";
import { utf16Offsets } from "./offsets.js";

const OPENS = "\u2402";
const CLOSES = "\u2403";
const PIECES = /\[(\d{1,3}(?:\s*[,，、]\s*\d{1,3})*)\]([.,;:!?。，；：！？)）]?)|[\u2402\u2403]/g;
const BLOCK_MARKER = /^\s*(?:(?:[-*+]|\d{1,9}[.)]|#{1,6}|>)\s+)*/;

/**
 * The Markdown `text` with its unsupported sentences set between control pictures, which Markdown treats as
 * punctuation and `annotate` takes out again. `spans` hold code points of `text`.
 */
export function markUnsupported(text, spans) {
  if (spans.length === 0 || text.includes(OPENS) || text.includes(CLOSES)) return text;
  const ordered = [...spans].sort((a, b) => a.start - b.start);
  const edges = utf16Offsets(
    text,
    ordered.flatMap(({ start, end }) => [start, end]),
  );
  let marked = "";
  let from = 0;
  for (let i = 0; i < edges.length; i += 2) {
    const sentence = text.slice(edges[i], edges[i + 1]);
    const lead = BLOCK_MARKER.exec(sentence)[0].length;
    marked += `${text.slice(from, edges[i] + lead)}${OPENS}${sentence.slice(lead)}${CLOSES}`;
    from = edges[i + 1];
  }
  return marked + text.slice(from);
}

/** Annotate a rendered block in place. `cite(id)` gives a button for a source's number, or null for no such source. */
export function annotate(root, cite) {
  let doubted = false;
  for (const node of textNodesOf(root)) {
    const plain = node.parentElement.closest("code, pre, a") !== null;
    const parts = [];
    let from = 0;
    const keep = (text) => text && parts.push(doubted ? unsupported(text) : text);
    for (const found of node.data.matchAll(PIECES)) {
      const buttons = found[1] && !plain ? found[1].split(/\D+/).map(cite) : [];
      if (found[1] && (plain || buttons.includes(null))) continue;
      const before = node.data.slice(from, found.index);
      keep(buttons.length > 0 ? before.replace(/ $/, "\u00a0") : before); // a number stays with its sentence
      from = found.index + found[0].length;
      if (found[0] === OPENS) doubted = true;
      if (found[0] === CLOSES) doubted = false;
      if (buttons.length > 0) parts.push(h("span", { class: "cites" }, buttons, found[2]));
    }
    if (from === 0 && !doubted) continue;
    keep(node.data.slice(from));
    node.replaceWith(...parts);
  }
  wrapTables(root);
}

function textNodesOf(root) {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  const nodes = [];
  while (walker.nextNode()) nodes.push(walker.currentNode);
  return nodes;
}

function unsupported(text) {
  if (!text.trim()) return text;
  return h("span", { class: "unsupported", tabindex: "0", description: "unsupported.note" }, text);
}

/** A wide table scrolls by itself instead of widening the page. */
function wrapTables(root) {
  for (const table of root.querySelectorAll("table")) {
    const scroller = h("div", { class: "table" });
    table.replaceWith(scroller);
    scroller.append(table);
  }
}
