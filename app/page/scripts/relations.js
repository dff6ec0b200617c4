/** Kinds of entities and relations in words, whatever language the server named them in. */

import { knows, t } from "./i18n.js";
import { strings } from "./strings.js";

/** The ten kinds of entities, in the order in which the page lists them. */
export const ENTITY_TYPES = [
  "person",
  "organization",
  "location",
  "event",
  "time",
  "product",
  "concept",
  "process",
  "metric",
  "work",
];

const ZH_RELATIONS = new Map(
  Object.entries(strings.zh)
    .filter(([key]) => key.startsWith("relation."))
    .map(([key, words]) => [words, key]),
);

/** The key of the words for a relation; an unknown one gives null and reads as it is. */
export function relationKey(name) {
  const key = `relation.${name
    .trim()
    .toLowerCase()
    .replaceAll(/[\s-]+/g, "_")}`;
  return knows(key) ? key : (ZH_RELATIONS.get(name.trim()) ?? null);
}

/** A relation in the page's language. */
export function relationWords(name) {
  const key = relationKey(name);
  return key ? t(key) : name;
}

/** Properties of an element that says a relation and follows the language. */
export function relationText(name) {
  const key = relationKey(name);
  return key ? { t: key } : {};
}

/** The class of an entity's colour; `other` where the kind is not known. */
export function typeClass(type) {
  return `type-${ENTITY_TYPES.includes(type) ? type : "other"}`;
}
