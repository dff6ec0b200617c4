/** The conversation in the middle: its questions and answers, and the turn that is running. */

import { Answer } from "./answer.js";
import { ApiError, read } from "./api.js";
import { byId, h } from "./dom.js";
import { errorText } from "./errors.js";
import { t } from "./i18n.js";
import { announce } from "./notices.js";
import { TurnStream } from "./turn.js";

const NEAR_END = 64;

/** Tells `busy`, `title`, `started` (a conversation has been made), `ended` (a turn has) and `empty`. */
export class Thread extends EventTarget {
  conversationId = null;
  title = "";
  #list = byId("exchanges");
  #scroller = byId("thread");
  #running = null;
  #visit = 0;
  #atEnd = true;
  #lastTop = 0;
  #seen = new IntersectionObserver((entries) => this.#recallSeen(entries), { root: byId("thread") });
  #answers = new WeakMap();

  constructor() {
    super();
    this.#scroller.addEventListener("scroll", () => this.#noteScroll(), { passive: true });
    const resized = new ResizeObserver(() => this.#atEnd && this.#toEnd());
    for (const element of [this.#list, this.#scroller]) resized.observe(element);
    byId("latest").addEventListener("click", () => this.#toEnd());
  }

  /** Whether an answer is on its way. */
  get busy() {
    return this.#running !== null;
  }

  /** Show a conversation, and rejoin the turn that runs in it; null shows the start of a new one. */
  async open(conversationId) {
    const visit = this.#leave();
    this.conversationId = conversationId;
    this.#setTitle("");
    if (conversationId === null) return this.#tell("empty");
    try {
      const conversation = await read(`/conversations/${encodeURIComponent(conversationId)}`);
      if (visit === this.#visit) this.#show(conversation);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (visit !== this.#visit) return;
      const words = error.status === 404 ? h("span", { t: "thread.missing" }) : errorText(error.code);
      this.#list.replaceChildren(h("p", { class: "quiet-note" }, words));
    }
  }

  /** Send a message and show its answer. */
  send(text) {
    const body = { messages: [{ role: "user", content: text }] };
    if (this.conversationId) body.conversation_id = this.conversationId;
    const { answer, element } = this.#exchange(text);
    this.#atEnd = true;
    this.#toEnd();
    announce(t("status.asked"));
    return this.#run(answer, element, (stream) => stream.ask(body));
  }

  /** Stop the running answer. */
  async stop() {
    if (!this.#running) return;
    this.#running.answer.stopping();
    await this.#running.stream.cancel();
  }

  /** Take note of a title given elsewhere. */
  renamed(conversationId, title) {
    if (conversationId === this.conversationId) this.#setTitle(title);
  }

  #leave() {
    this.#running?.stream.leave();
    this.#setRunning(null);
    this.#seen.disconnect();
    this.#list.replaceChildren();
    this.#atEnd = true;
    return (this.#visit += 1);
  }

  #show({ title, messages, running_turn_id: running }) {
    this.#setTitle(title);
    const said = messages.filter(({ role }) => role !== "system");
    said.forEach((message, i) => {
      if (message.role === "assistant") this.#kept(message);
      else if (said[i + 1]?.role !== "assistant") this.#unanswered(message, running);
      else this.#list.append(question(message.content));
    });
    if (said.length === 0) this.#tell("empty");
    this.#toEnd();
  }

  #kept(message) {
    const asked = this.#list.lastElementChild?.querySelector(".question")?.dataset.text ?? "";
    const answer = new Answer(() => this.send(asked));
    answer.keep(message);
    if (message.turn_id) {
      this.#answers.set(answer.element, answer);
      this.#seen.observe(answer.element);
    }
    const last = this.#list.lastElementChild;
    (last && !last.querySelector(".answer") ? last : this.#list.appendChild(h("div", { class: "exchange" }))).append(
      answer.element,
    );
  }

  /** A question without an answer: its turn is running, or ended before a word was said. */
  #unanswered(message, running) {
    const turnId = message.turn_id ?? running;
    if (!turnId) return this.#list.append(question(message.content));
    const { answer, element } = this.#exchange(message.content);
    return this.#run(answer, element, (stream) => stream.rejoin(turnId), turnId === running);
  }

  #exchange(text) {
    const element = question(text);
    const answer = new Answer(() => this.#retry(element, answer, text));
    element.append(answer.element);
    this.#list.append(element);
    this.#tell("filled");
    return { element, answer };
  }

  /** A message that never reached the server is sent in its own place, others are asked anew. */
  #retry(element, answer, text) {
    if (this.busy) return;
    if (answer.turnId === null) element.remove();
    this.send(text);
  }

  async #run(answer, element, begin, live = true) {
    const stream = new TurnStream(
      (event) => this.#hear(event, answer),
      (state) => answer.connection(state),
    );
    if (live) this.#setRunning({ stream, answer });
    answer.expect();
    try {
      await begin(stream);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (element.isConnected) answer.fail(error);
    } finally {
      if (this.#running?.stream === stream) {
        this.#setRunning(null);
        this.#tell("ended");
      }
    }
  }

  #hear(event, answer) {
    if (!answer.element.isConnected) return;
    answer.hear(event);
    if (event.type === "start" && this.conversationId !== event.conversation_id) {
      this.conversationId = event.conversation_id;
      this.#tell("started");
    }
    if (event.type === "done" && this.#running?.answer === answer)
      announce(t("status.answered", { text: answer.spoken }));
  }

  /** An answer from the past learns the rest of its turn when it comes into view. */
  #recallSeen(entries) {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      this.#seen.unobserve(target);
      const answer = this.#answers.get(target);
      new TurnStream((event) => answer.recall(event)).rejoin(answer.turnId).catch(() => {});
    }
  }

  #setRunning(running) {
    if (this.#running === running) return;
    this.#running = running;
    this.#tell("busy");
  }

  #setTitle(title) {
    this.title = title;
    this.#tell("title");
  }

  #tell(what) {
    this.dispatchEvent(new Event(what));
  }

  /** Only scrolling up leaves the end: a text that grows faster than it is followed does not. */
  #noteScroll() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    if (scrollHeight - scrollTop - clientHeight < NEAR_END) this.#atEnd = true;
    else if (scrollTop < this.#lastTop) this.#atEnd = false;
    this.#lastTop = scrollTop;
    byId("latest").hidden = this.#atEnd;
  }

  #toEnd() {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
    byId("latest").hidden = true;
  }
}

function question(text) {
  const words = h("article", { class: "question", label: "thread.you", "data-text": text }, text);
  return h("div", { class: "exchange" }, words);
}
