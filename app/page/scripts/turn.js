/** One turn as this page follows it: asked or rejoined, picked up again when the connection drops, stopped on demand. */

import { ApiError, request } from "./api.js";
import { frames } from "./sse.js";

const WAITS_MS = [300, 800, 1500, 3000, 5000];
const MOST_ATTEMPTS = 40;

/** Follows a turn to its end. `onEvent` hears every event once, `onConnection` `lost` and `found`. */
export class TurnStream {
  turnId = null;
  #leaving = new AbortController();
  #lastId = null;
  #lastSeq = 0;
  #wantsCancel = false;
  #onEvent;
  #onConnection;

  constructor(onEvent, onConnection = () => {}) {
    this.#onEvent = onEvent;
    this.#onConnection = onConnection;
  }

  /** Send a message. Ends after the terminal event, or when left; throws ApiError when nothing more can come. */
  ask(body) {
    return this.#follow(() => this.#open("/chat/stream", { method: "POST", json: body }));
  }

  /** Hear all of a turn that began elsewhere, from its first event. */
  rejoin(turnId) {
    this.turnId = turnId;
    return this.#follow(() => this.#events());
  }

  /** Stop listening; the turn itself goes on. */
  leave() {
    this.#leaving.abort();
  }

  /** Stop the turn, at once or as soon as its id is known. */
  async cancel() {
    this.#wantsCancel = true;
    if (this.turnId) await request(`/turns/${encodeURIComponent(this.turnId)}/cancel`, { method: "POST" });
  }

  async #follow(open) {
    try {
      let body = await open();
      for (let attempt = 0; !(await this.#read(body)); attempt += 1) {
        if (!this.turnId || attempt >= MOST_ATTEMPTS) throw new ApiError("connection_lost", 0, true);
        this.#onConnection("lost");
        body = await this.#again(WAITS_MS[Math.min(attempt, WAITS_MS.length - 1)]);
        if (body) this.#onConnection("found");
      }
    } catch (error) {
      if (!this.#leaving.signal.aborted) throw error;
    }
  }

  /** Whether the terminal event came, or the page left; false when the stream broke off before. */
  async #read(body) {
    if (body === null) return false;
    try {
      for await (const frame of frames(body)) {
        if (this.#hear(frame)) return true;
      }
    } catch {
      // A cut connection: what was missed is asked for again.
    }
    return this.#leaving.signal.aborted;
  }

  #hear({ id, data }) {
    const event = JSON.parse(data);
    if (event.seq <= this.#lastSeq) return false;
    this.#lastSeq = event.seq;
    this.#lastId = id;
    if (event.type === "start") {
      this.turnId = event.turn_id;
      if (this.#wantsCancel) this.cancel().catch(() => {});
    }
    try {
      this.#onEvent(event);
    } catch (error) {
      reportError(error); // a fault in showing it is no reason to ask for it again
    }
    return event.type === "done" || event.type === "error";
  }

  async #again(wait) {
    await new Promise((resolve) => setTimeout(resolve, wait));
    this.#leaving.signal.throwIfAborted();
    try {
      return await this.#events();
    } catch (error) {
      if (error instanceof ApiError && !error.retryable) throw error;
      return null;
    }
  }

  #events() {
    const headers = this.#lastId ? { "Last-Event-ID": this.#lastId } : {};
    return this.#open(`/turns/${encodeURIComponent(this.turnId)}/events`, { headers });
  }

  async #open(path, options) {
    const response = await request(path, { ...options, signal: this.#leaving.signal });
    return response.body;
  }
}
