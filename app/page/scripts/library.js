/** The reader's documents as this page knows them; tells `change` when they have changed. */

import { read, readAll, request } from "./api.js";

const MOST_LISTED = 200;
const MOST_STATES = 20;
const POLL_MS = 2000;
const FINAL = new Set(["ready", "failed"]);

class Library extends EventTarget {
  /** Documents, newest first; null until the first answer. */
  documents = null;
  /** Data sets, each with its `status` (how far it is, and what its graph holds); null until the first answer. */
  datasets = null;
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
    const states = await Promise.all(datasets.slice(0, MOST_STATES).map(({ id }) => this.lookAt(id)));
    this.documents = lists.flat().sort((a, b) => (a.created_at < b.created_at ? 1 : -1));
    this.datasets = datasets.map((dataset, i) => ({ ...dataset, status: states[i] ?? null }));
    this.dispatchEvent(new Event("change"));
    if (this.#growing) this.#timer = setTimeout(() => this.#again(), POLL_MS);
  }

  /** How far a data set was when last looked at; null for one that is not known. */
  statusOf(datasetId) {
    return this.datasets?.find(({ id }) => id === datasetId)?.status ?? null;
  }

  /** How far a data set is now; null when that cannot be told. */
  lookAt(datasetId) {
    return read(`/knowledge/status/${encodeURIComponent(datasetId)}`).catch(() => null);
  }

  /** A document's title; empty for one that is not known. */
  titleOf(id) {
    const found = this.documents?.find((document) => document.id === id);
    return found?.title || found?.name || "";
  }

  get #growing() {
    const reading = this.documents.some(({ status }) => !FINAL.has(status));
    return reading || this.datasets.some(({ status }) => status?.stage === "graph");
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
