/** The message box: Enter sends, Shift+Enter breaks the line, and a Chinese word being composed is left in peace. */

import { byId, icon } from "./dom.js";
import { say } from "./i18n.js";

const MOST_HEIGHT = 220;

/** `onSend(text)` gets a message, `onStop()` the wish to stop; `busy` decides which of the two the button does. */
export class Composer {
  #box = byId("message");
  #button = byId("send");
  #busy = false;
  #onSend;

  constructor(onSend, onStop) {
    this.#onSend = onSend;
    byId("composer").addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.#busy) onStop();
      else this.#send();
    });
    this.#box.addEventListener("input", () => this.#fit());
    this.#box.addEventListener("keydown", (event) => this.#onKey(event));
    this.#fit();
  }

  /** Turn the button into a stop button and back. */
  setBusy(busy) {
    this.#busy = busy;
    this.#button.classList.toggle("stops", busy);
    this.#button.replaceChildren(icon(busy ? "stop" : "send"));
    say(this.#button, "tip", busy ? "action.stop" : "action.send");
    this.#fit();
  }

  /** Put the focus where the next message is written; not on a phone, where that would bring up the keyboard. */
  focus() {
    if (matchMedia("(hover: hover)").matches) this.#box.focus();
  }

  #onKey(event) {
    const composing = event.isComposing || event.keyCode === 229; // 229: Safari's Enter that ends a composition
    if (event.key !== "Enter" || event.shiftKey || composing) return;
    event.preventDefault();
    if (!this.#busy) this.#send();
  }

  #send() {
    const text = this.#box.value.trim();
    if (!text) return;
    this.#box.value = "";
    this.#fit();
    this.#onSend(text);
  }

  #fit() {
    this.#box.style.height = "auto";
    this.#box.style.height = `${Math.min(this.#box.scrollHeight, MOST_HEIGHT)}px`;
    this.#button.disabled = !this.#busy && this.#box.value.trim() === "";
  }
}
