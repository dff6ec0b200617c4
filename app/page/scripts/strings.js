/**
 * Everything the page says, by language, then by key.
 *
 * A value is the text, or a function from named arguments to it. `error.*` are the codes of the API, `node.*` the steps
 * of a turn, `intent.*` and `emotion.*` its labels, `type.*` and `relation.*` the kinds in a graph, `stage.*` those of
 * indexing.
 */

import { en } from "./strings/en.js";
import { graphEn } from "./strings/graph-en.js";
import { graphZh } from "./strings/graph-zh.js";
import { moodEn } from "./strings/mood-en.js";
import { moodZh } from "./strings/mood-zh.js";
import { zh } from "./strings/zh.js";

export const strings = { en: { ...en, ...graphEn, ...moodEn }, zh: { ...zh, ...graphZh, ...moodZh } };
