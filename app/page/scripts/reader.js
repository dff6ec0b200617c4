/** The reader: a document's text in the side panel, scrolled to a passage that stands out. */

import { ApiError, read } from "./api.js";
import { h, iconButton } from "./dom.js";
import { errorText } from "./errors.js";
import { say } from "./i18n.js";
import { utf16Offsets } from "./offsets.js";
import { closePanel, openPanel } from "./panel.js";
import { hideCard } from "./quote-card.js";

const LEAF_CHARACTERS = 6000;
const FULL_LINE = 0.75;
const HAN = /[\p{Script=Han}，。、；：！？]/u;
const LIST_ITEM = /^\s*(?:[-•*–]|\d{1,3}[.)])\s/;

const title = h("h2", { tabindex: "-1" });
const body = h("div", { class: "reader-text", tabindex: "0", label: "reader.label" });
const back = iconButton("back", "documents.back", () => (backOnce ?? onBack)());
const view = h(
  "div",
  { class: "panel-view reader" },
  h(
    "header",
    {},
    back,
    title,
    iconButton("close", "action.close", () => closePanel()),
  ),
  body,
);
let onBack = () => {};
let backOnce = null;
let visit = 0;

/** What the arrow at the top leads back to. */
export function readerLeadsBackTo(show) {
  onBack = show;
}

/**
 * Open the document of a reference or citation at its passage; `mention` `{start, end}` in it stands out more. `back`
 * is where the arrow leads to, when that is not the list of documents.
 */
export function openPassage(reference, from, back = null) {
  return open(reference.document_id, reference.title, reference, from, back);
}

/** Open a document at its beginning. */
export function openDocument(id, name, from) {
  return open(id, name, null, from);
}

async function open(id, name, passage, from, goBack = null) {
  const mine = (visit += 1);
  backOnce = goBack;
  say(back, "tip", goBack ? "reader.back" : "documents.back");
  hideCard();
  title.textContent = name;
  body.replaceChildren(h("p", { class: "quiet-note", t: "reader.loading" }));
  openPanel(view, from);
  const shown = await contents(id, passage);
  if (mine !== visit) return;
  body.replaceChildren(...shown);
  body.scrollTop = 0;
  (body.querySelector(".mention") ?? body.querySelector("mark"))?.scrollIntoView({ block: "center" });
}

async function contents(id, passage) {
  try {
    const document = await read(`/knowledge/documents/${encodeURIComponent(id)}/text`);
    return leaves(document.text, document.pages ?? [], passage);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status !== 404 || !passage) return [h("p", { class: "quiet-note" }, errorText(error.code))];
    return [h("p", { class: "quiet-note", t: "reader.gone" }), h("blockquote", {}, passage.quote)];
  }
}

/** The text in pieces that the browser can lay out one by one: pages, or stretches that end at a line's end. */
function leaves(text, pages, passage) {
  const points = utf16Offsets(text, pointsOf(passage));
  const places = spans(text, pages);
  const shown = pages.length > 0 ? places.map(({ from, to }) => rejoined(text, from, to)).join("") : text;
  return places.map(({ from, to, page }) => {
    const label = page && h("p", { class: "leaf-page", t: ["reader.page", { page }] });
    return h("section", { class: "leaf" }, label, h("div", {}, marked(shown, from, to, points)));
  });
}

/**
 * A printed page's text with its lines run together again where only the margin broke them: after a line about as long
 * as the longest. Every character keeps its place.
 */
export function rejoined(text, from, to) {
  const lines = text.slice(from, to).split("\n");
  const full = Math.max(...lines.map((line) => line.length)) * FULL_LINE;
  return lines.reduce((joined, line, i) => {
    const broken = lines[i - 1].length >= full && line.trim() !== "" && !LIST_ITEM.test(line);
    if (!broken) return `${joined}\n${line}`;
    return joined + (HAN.test(joined.at(-1)) && HAN.test(line[0]) ? "\u200b" : " ") + line;
  });
}

/** Where the passage begins, its mention begins and ends, and the passage ends; all the same without a mention. */
function pointsOf(passage) {
  if (!passage) return [0, 0, 0, 0];
  const { start, end, mention } = passage;
  return [start, mention?.start ?? end, mention?.end ?? end, end];
}

function marked(text, from, to, [start, mentionStart, mentionEnd, end]) {
  const [first, last] = [Math.max(from, start), Math.min(to, end)];
  if (first >= last) return [text.slice(from, to)];
  const [a, b] = [mentionStart, mentionEnd].map((point) => Math.min(last, Math.max(first, point)));
  const mention = a < b && h("strong", { class: "mention" }, text.slice(a, b));
  const around = mention && "around";
  const mark = h(
    "mark",
    { class: around, description: "reader.passage" },
    text.slice(first, a),
    mention,
    text.slice(b, last),
  );
  return [text.slice(from, first), mark, text.slice(last, to)];
}

function spans(text, pages) {
  if (pages.length === 0) return stretches(text);
  const starts = utf16Offsets(
    text,
    pages.map((page) => page.start),
  );
  return pages.map((page, i) => ({
    from: i === 0 ? 0 : starts[i],
    to: starts[i + 1] ?? text.length,
    page: page.number,
  }));
}

function stretches(text) {
  const found = [];
  for (let from = 0; from < text.length;) {
    const line = text.indexOf("\n", from + LEAF_CHARACTERS);
    const to = line < 0 ? text.length : line + 1;
    found.push({ from, to });
    from = to;
  }
  return found;
}
