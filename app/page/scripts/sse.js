/**
 * Server-sent events out of a fetch body.
 *
 * EventSource can neither POST nor send a token, so the stream is read here, as the HTML standard's chapter 9.2
 * ("Server-sent events") describes it: lines end in CR, LF or CRLF, a blank line ends a frame, `:` starts a comment.
 */

/** Yields `{id, data}` for every frame with data; `id` is the last one seen. Throws what the stream throws. */
export async function* frames(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  const parser = new FrameParser();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield* parser.feed(value);
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** Takes text in any pieces and gives whole frames. */
export class FrameParser {
  #rest = "";
  #id = null;
  #data = [];

  /** The frames that `text` completes. */
  *feed(text) {
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop();
    for (const line of lines) {
      if (line !== "") this.#field(line);
      else if (this.#data.length > 0) yield this.#frame();
    }
  }

  #frame() {
    const data = this.#data.join("\n");
    this.#data = [];
    return { id: this.#id, data };
  }

  #field(line) {
    const colon = line.indexOf(":");
    if (colon === 0) return;
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "data") this.#data.push(value);
    if (name === "id" && !value.includes("\0")) this.#id = value;
  }
}
