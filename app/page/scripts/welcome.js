/** What an empty conversation shows: where to begin, or three questions that the newest document can answer. */

import { read } from "./api.js";
import { h, icon } from "./dom.js";
import { library } from "./library.js";

const EXAMPLES = 3;
const MOST_BYTES = 2e6;
const TOPIC =
  /^(?:\d+(?:\.\d+)*[.、)]?\s+)?(?:#{1,6}\s+)?(\p{Lu}[^\n.!?:;|]{3,48}|[\p{Script=Han}][^\n。！？：；，|]{2,20})$/u;

/** `onAsk(question)` takes an example, `onChoose` opens the file chooser. */
export class Welcome {
  element = h("section", { class: "welcome" });
  #onAsk;
  #onChoose;
  #topics = new Map();

  constructor(onAsk, onChoose) {
    this.#onAsk = onAsk;
    this.#onChoose = onChoose;
    library.addEventListener("change", () => this.draw());
  }

  /** Draw it for the documents as they are now. */
  async draw() {
    if (library.documents === null) return;
    const newest = library.ready[0];
    const topics = newest ? await this.#topicsOf(newest) : [];
    if (newest !== library.ready[0]) return;
    const greeting = h("h1", { t: "empty.greeting" });
    const promise = h("p", { class: "promise", t: "empty.promise" });
    this.element.replaceChildren(greeting, promise, newest ? this.#examples(newest, topics) : this.#invitation());
  }

  #invitation() {
    const reading = library.documents.some(({ status }) => status !== "failed");
    if (reading)
      return h(
        "p",
        { class: "invitation reading", role: "status" },
        h("span", { class: "pulse" }),
        h("span", { t: "empty.reading" }),
      );
    return h(
      "button",
      { type: "button", class: "invitation", onclick: this.#onChoose },
      icon("upload"),
      h("strong", { t: "empty.drop" }),
      h("span", { t: "empty.drop.more" }),
    );
  }

  #examples({ name }, topics) {
    const about = topics.map((topic) => ["example.about", { topic }]);
    const any = [["example.main", { name: name.replace(/\.\w{1,5}$/, "") }], ["example.points"], ["example.figures"]];
    const buttons = [...about, ...any].slice(0, EXAMPLES).map((words) => {
      const text = h("span", { t: words });
      return h("button", { type: "button", onclick: () => this.#onAsk(text.textContent) }, text, icon("send"));
    });
    return h("div", { class: "examples" }, h("h2", { t: "empty.examples" }), buttons);
  }

  /** What the document's own headings are about. */
  async #topicsOf({ id, size_bytes: size }) {
    if (!this.#topics.has(id)) {
      const path = `/knowledge/documents/${encodeURIComponent(id)}/text`;
      const text =
        size > MOST_BYTES
          ? ""
          : await read(path).then(
              (found) => found.text,
              () => "",
            );
      this.#topics.set(id, headingsOf(text));
    }
    return this.#topics.get(id);
  }
}

/** Up to three short lines without a full stop that a longer text follows; the first is the document's own title. */
export function headingsOf(text) {
  const lines = text
    .split(/\n+/)
    .map((line) => line.trim())
    .filter(Boolean);
  const found = lines.filter((line, i) => TOPIC.test(line) && (lines[i + 1]?.length ?? 0) > line.length);
  const topics = found.map((line) => TOPIC.exec(line)[1]).filter((topic) => topic !== lines[0]);
  return [...new Set(topics)].slice(0, EXAMPLES);
}
