/** The reader's documents as this page knows them; tells `change` when they have changed. */

import { read, readAll, request } from "./api.js";

const MOST_LISTED = 200;
const POLL_MS = 2000;
const FINAL = new Set(["ready", "failed"]);

class Library extends EventTarget {
  /** Documents, newest first; null until the first answer. */
  documents = null;
  #timer = 0;

  /** Whether there is anything to ask about. */
  get ready() {
    return (this.documents ?? []).filter((document) => document.status === "ready");
  }

  /** Ask the server again, and then now and again while documents are being read. */
  async refresh() {
    clearTimeout(this.#timer);
    const datasets = await readAll("/knowledge/datasets");
    const lists = await Promise.all(datasets.map(({ id }) => readAll(`${pathOf(id)}/documents`, MOST_LISTED)));
    this.documents = lists.flat().sort((a, b) => (a.created_at < b.created_at ? 1 : -1));
    this.dispatchEvent(new Event("change"));
    if (this.documents.some(({ status }) => !FINAL.has(status))) this.#timer = setTimeout(() => this.#again(), POLL_MS);
  }

  /** A server that is away for a moment is the health banner's business. */
  #again() {
    this.refresh().catch(() => (this.#timer = setTimeout(() => this.#again(), POLL_MS)));
  }

  /** A document as it is now. */
  look(id) {
    return read(`/knowledge/documents/${encodeURIComponent(id)}`);
  }

  /** Delete a document for good. */
  async remove(id) {
    await request(`/knowledge/documents/${encodeURIComponent(id)}`, { method: "DELETE" });
    await this.refresh();
  }
}

function pathOf(datasetId) {
  return `/knowledge/datasets/${encodeURIComponent(datasetId)}`;
}

/** The one library of this page. */
export const library = new Library();
