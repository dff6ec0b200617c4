/**
 * Everything the page says, by language, then by key.
 *
 * A value is the text, or a function from named arguments to it. `error.*` are the codes of the API, `node.*` the steps
 * of a turn, `intent.*` and `emotion.*` its labels.
 */

import { en } from "./strings/en.js";
import { zh } from "./strings/zh.js";

export const strings = { en, zh };
