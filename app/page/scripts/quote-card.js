/** The card that shows a source's words beside its number, on hover and on focus. */

import { byId, h, icon } from "./dom.js";
import { pathLine } from "./path-line.js";

const GAP = 8;
const EDGE = 12;
const DELAY_MS = 90;
let waiting = 0;

/** Show `content(card)`'s words when the pointer or the focus comes to `anchor`. */
export function withCard(anchor, content) {
  anchor.addEventListener(
    "pointerenter",
    (event) => event.pointerType === "mouse" && later(() => show(anchor, content)),
  );
  anchor.addEventListener("focus", () => anchor.matches(":focus-visible") && show(anchor, content));
  anchor.addEventListener("pointerleave", hideCard);
  anchor.addEventListener("blur", hideCard);
  return anchor;
}

/** A quote with its place: the inside of a card. */
export function quoteOf(reference) {
  const place = h("p", { class: "card-place" }, icon("document"), h("span", {}, reference.title));
  if (reference.page) place.append(h("span", { class: "card-page", t: ["cite.page", { page: reference.page }] }));
  const steps = reference.graph_context?.path_steps ?? [];
  const way = steps.length > 0 && h("div", { class: "card-path" }, icon("graph"), pathLine(steps));
  const hint = h("p", { class: "card-hint", t: "cite.hint" });
  return [h("blockquote", {}, reference.quote), way, place, hint].filter(Boolean);
}

/** Whether a card was there to take away. */
export function hideCard() {
  clearTimeout(waiting);
  const card = byId("card");
  const shown = card.matches(":popover-open");
  if (shown) card.hidePopover();
  return shown;
}

function later(work) {
  clearTimeout(waiting);
  waiting = setTimeout(work, DELAY_MS);
}

function show(anchor, content) {
  const card = byId("card");
  clearTimeout(waiting);
  card.replaceChildren(...content());
  if (!card.matches(":popover-open")) card.showPopover();
  place(card, anchor.getClientRects()[0] ?? anchor.getBoundingClientRect());
}

function place(card, at) {
  const { width, height } = card.getBoundingClientRect();
  const left = Math.min(Math.max(EDGE, at.left + at.width / 2 - width / 2), innerWidth - width - EDGE);
  const above = at.top - height - GAP;
  card.style.left = `${left}px`;
  card.style.top = `${above > EDGE ? above : at.bottom + GAP}px`;
}
