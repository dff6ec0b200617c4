/** Error codes in plain words. */

import { h } from "./dom.js";
import { knows, t } from "./i18n.js";

/** An element that says what `code` means, in the page's language of the moment. */
export function errorText(code) {
  return h("span", { t: errorKey(code) });
}

/** What `code` means, as a string. */
export function errorWords(code) {
  return t(...errorKey(code));
}

function errorKey(code) {
  return knows(`error.${code}`) ? [`error.${code}`, {}] : ["error.unknown", { code }];
}
