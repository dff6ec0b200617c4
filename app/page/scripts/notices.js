/** Short notices: what failed, for the eye at the bottom of the page; what happened, for the ear. */

import { ApiError } from "./api.js";
import { byId, h, icon } from "./dom.js";
import { errorWords } from "./errors.js";

const SHOWN_MS = 6000;

/** Tell a screen reader, politely. */
export function announce(text) {
  byId("announcer").textContent = text;
}

/** Show why something the reader wanted did not happen; other errors than the API's are bugs and go on. */
export function notifyFailure(error) {
  if (!(error instanceof ApiError)) throw error;
  const notice = h("p", { class: "notice" }, icon("alert"), errorWords(error.code));
  byId("notices").append(notice);
  setTimeout(() => notice.remove(), SHOWN_MS);
}
