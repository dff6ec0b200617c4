/** Files on their way in: sent two at a time, then watched until they have been read or refused. */

import { ApiError, upload } from "./api.js";
import { h, icon, iconButton } from "./dom.js";
import { errorText, errorWords } from "./errors.js";
import { knows, percent, say, t } from "./i18n.js";
import { library } from "./library.js";
import { announce } from "./notices.js";

const DATASET = "default";
const MOST_BYTES = 50e6;
const AT_ONCE = 2;
const POLL_MS = [250, 400, 700, 1200, 2000];
const READY_SHOWN_MS = 4000;

/** The tray above the message box: a row for each file. */
export class Uploads {
  element = h("ul", { class: "uploads", label: "upload.label", hidden: true });
  #waiting = [];
  #sending = 0;

  constructor() {}

  /** Take files in. */
  add(files) {
    for (const file of files) {
      const row = new Row(file.name, () => this.#settle());
      this.element.append(row.element);
      if (file.size > MOST_BYTES) row.fail("file_too_large");
      else this.#waiting.push({ file, row });
    }
    this.#settle();
    this.#next();
  }

  #next() {
    while (this.#sending < AT_ONCE && this.#waiting.length > 0) this.#take(this.#waiting.shift());
  }

  async #take({ file, row }) {
    this.#sending += 1;
    let accepted = null;
    try {
      accepted = await upload(file, DATASET, (done) => row.sending(done));
    } catch (error) {
      row.fail(error instanceof ApiError ? error.code : "internal");
    }
    this.#sending -= 1;
    this.#next();
    if (!accepted) return;
    library.refresh().catch(() => {});
    await this.#watch(accepted.id, row);
  }

  async #watch(id, row) {
    for (let round = 0; row.element.isConnected; round += 1) {
      const document = await library.look(id).catch((error) => ({ failure: error }));
      if (document.failure && !document.failure.retryable) return row.fail(document.failure.code ?? "internal");
      if (document.status === "failed") return this.#end(() => row.fail(document.error.code));
      if (document.status === "ready") return this.#await(document.dataset_id, row);
      if (!document.failure) row.reading(document.stage, document.progress);
      await pause(round);
    }
  }

  /** The document can be found; its data set's graph may still be on its way. */
  async #await(datasetId, row) {
    for (let round = 0; row.element.isConnected; round += 1) {
      const status = await library.lookAt(datasetId);
      if (status?.stage !== "graph") break;
      row.building();
      await pause(round);
    }
    return this.#end(() => row.ready());
  }

  async #end(show) {
    show();
    await library.refresh().catch(() => {});
  }

  #settle() {
    this.element.hidden = this.element.children.length === 0;
  }
}

/** The words for a stage of indexing; a stage this page does not know is reading. */
export function stageKey(stage) {
  return knows(`stage.${stage}`) ? `stage.${stage}` : "stage.parsing";
}

function pause(round) {
  return new Promise((resolve) => setTimeout(resolve, POLL_MS[Math.min(round, POLL_MS.length - 1)]));
}

/** One file's row. */
class Row {
  #name;
  #onGone;
  #bar;
  #state = h("span", { class: "upload-state", t: "upload.waiting" });

  constructor(name, onGone) {
    this.#name = name;
    this.#onGone = onGone;
    this.#bar = h("progress", { max: "1", value: "0", label: ["upload.progress", { name }] });
    const dismiss = iconButton("close", ["action.dismiss", { name }], () => this.#leave());
    this.element = h(
      "li",
      {},
      icon("document"),
      h("span", { class: "upload-name" }, name),
      this.#state,
      dismiss,
      this.#bar,
    );
  }

  /** So much of the file has been sent. */
  sending(done) {
    this.#bar.value = done / 2;
    say(this.#state, "text", "upload.sending", { percent: percent(done) });
  }

  /** The document has come to this stage, and is so far in all. */
  reading(stage, done) {
    this.#bar.value = 0.5 + 0.45 * done;
    say(this.#state, "text", stageKey(stage), { percent: percent(done) });
  }

  /** It is searchable, and is being woven into the graph. */
  building() {
    this.#bar.value = 0.97;
    say(this.#state, "text", "stage.graph");
  }

  /** It can be asked about. */
  ready() {
    this.#bar.value = 1;
    this.element.classList.add("ready");
    say(this.#state, "text", "upload.ready");
    announce(t("upload.added", { name: this.#name }));
    setTimeout(() => this.#leave(), READY_SHOWN_MS);
  }

  /** It was refused, and why. */
  fail(code) {
    this.#bar.hidden = true;
    this.element.classList.add("failed");
    this.#state.replaceWith((this.#state = h("span", { class: "upload-state" }, errorText(code))));
    announce(`${t("upload.failed", { name: this.#name })}: ${errorWords(code)}`);
  }

  #leave() {
    this.element.remove();
    this.#onGone();
  }
}
