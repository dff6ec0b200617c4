/** One answer on the page, live or from the past: a turn's events become its text, its sources and its steps. */

import { AnswerText } from "./answer-text.js";
import { h, icon, iconButton } from "./dom.js";
import { errorText } from "./errors.js";
import { say } from "./i18n.js";
import { withCard } from "./quote-card.js";
import { Sources } from "./sources.js";
import { Steps } from "./steps.js";
import { Understood } from "./understood.js";

const COPIED_MS = 1600;

/** Shows a turn; `onRetry` is what "Try again" does. */
export class Answer {
  turnId = null;
  #sources = new Sources();
  #text = new AnswerText((id) => this.#sources.button(id));
  #steps = new Steps();
  #understood = new Understood();
  #status = h("p", { class: "status", hidden: true });
  #notes = h("div", { class: "notes" });
  #copy = iconButton("copy", "action.copy", () => this.#copyText());
  #foot = h("footer", { hidden: true }, this.#steps.element, this.#copy);
  #onRetry;

  constructor(onRetry) {
    this.#onRetry = onRetry;
    this.element = h(
      "article",
      { class: "answer", label: "thread.answer" },
      this.#status,
      this.#text.element,
      this.#notes,
      this.#sources.element,
      this.#understood.element,
      this.#foot,
    );
  }

  /** The answer as it would be read aloud. */
  get spoken() {
    return this.#text.element.innerText;
  }

  /** An answer that was kept: its text and citations; the rest comes when its turn is recalled. */
  keep({ content, citations, status, turn_id: turnId }) {
    this.turnId = turnId;
    this.#sources.cited(citations);
    this.#text.replace(content);
    this.#text.finish();
    this.#foot.hidden = false;
    if (status === "partial") this.#note("ended.partial");
  }

  /** Show that an answer is on its way. */
  expect() {
    this.element.setAttribute("aria-busy", "true");
    this.element.classList.add("live");
    this.#say("status.thinking");
  }

  /** Take in one event of the turn. */
  hear(event) {
    if (event.type === "delta") this.#grow(event.content);
    else if (event.type === "replace") this.#text.replace(event.content);
    else this.recall(event);
  }

  /** Take in all of an event but its text: what an answer from the past still lacks. */
  recall(event) {
    this.#steps.hear(event);
    this.#understood.hear(event);
    if (event.type === "start") this.turnId = event.turn_id;
    if (event.type === "intent") this.#say("status.searching");
    if (event.type === "refs") this.#found(event.references);
    if (event.type === "replace") this.#replaced = true;
    if (event.type === "done") this.#done(event);
    if (event.type === "error") this.fail(event);
  }

  /** Say that the connection is `lost`, or `found` again. */
  connection(state) {
    this.#say(state === "lost" ? "status.reconnecting" : "status.writing");
  }

  /** Say that a stop is on its way. */
  stopping() {
    this.#say("status.stopping");
  }

  /** Show why there is no (whole) answer; `error` has a `code`. */
  fail(error) {
    this.#rest([]);
    const words = h("p", {}, icon("alert"), errorText(error.code));
    const retry = h("button", { type: "button", class: "retry", t: "action.retry", onclick: () => this.#onRetry() });
    this.#notes.replaceChildren(h("div", { class: "failure", role: "alert" }, words, retry));
  }

  #replaced = false;

  #say(key, args) {
    if (!this.element.classList.contains("live")) return;
    const words = h("span", {});
    say(words, "text", key, args);
    this.#status.replaceChildren(h("span", { class: "pulse" }), words);
    this.#status.hidden = false;
  }

  #found(references) {
    this.#sources.found(references);
    this.#text.sourcesChanged();
    this.#say("status.found", { n: references.length });
  }

  #grow(content) {
    this.#text.append(content);
    this.#status.hidden = true;
  }

  #done({ citations, unsupported, finish_reason: reason }) {
    this.#sources.cited(citations);
    this.#rest(unsupported);
    this.#notes.replaceChildren();
    if (this.#replaced) this.#note("ended.replaced");
    if (reason !== "stop") this.#note(`ended.${reason}`);
    if (unsupported.length > 0) this.#note("unsupported.count", { n: unsupported.length });
  }

  /** Nothing more will come. */
  #rest(unsupported) {
    this.#text.finish(unsupported);
    for (const doubt of this.#text.element.querySelectorAll(".unsupported"))
      withCard(doubt, () => [h("p", { class: "card-note", t: "unsupported.note" })]);
    this.element.classList.remove("live");
    this.element.removeAttribute("aria-busy");
    this.#status.hidden = true;
    this.#copy.hidden = !this.#text.text;
    this.#foot.hidden = false;
  }

  #note(key, args) {
    this.#notes.append(h("p", { class: "note", t: [key, args] }));
  }

  async #copyText() {
    await navigator.clipboard.writeText(this.#text.text);
    say(this.#copy, "tip", "action.copied");
    this.#copy.replaceChildren(icon("check"));
    setTimeout(() => {
      say(this.#copy, "tip", "action.copy");
      this.#copy.replaceChildren(icon("copy"));
    }, COPIED_MS);
  }
}
