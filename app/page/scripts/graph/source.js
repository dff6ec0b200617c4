/** Asks the server for parts of a graph, and for what they rest on. */

import { read } from "../api.js";
import { language } from "../i18n.js";
import { merged } from "./model.js";

/** Entities shown at first, and at each "show more". */
export const LIMITS = [300, 1000, 5000];
const AROUND_STEP = 40;

/** A part of a data set's graph: what is within `hops` of what `q` names, without it what is mentioned most. */
export function readPart(datasetId, { q = "", hops = 1, limit = LIMITS[0] }) {
  return ask(datasetId, "", { q, hops, limit, language: language() });
}

/** The part around the entities of a path, as one. */
export async function readAround(datasetId, names) {
  const parts = names.map((q) => readPart(datasetId, { q, hops: 1, limit: AROUND_STEP }));
  return merged(await Promise.all(parts));
}

/** Passages that mention an entity. */
export async function readPassages(datasetId, entity, limit) {
  return (await ask(datasetId, "/passages", { entity, limit })).items;
}

/** Sentences that say how two entities relate. */
export async function readEvidence(datasetId, source, target) {
  return (await ask(datasetId, "/evidence", { source, target, language: language() })).items;
}

function ask(datasetId, what, parameters) {
  return read(`/knowledge/graph/${encodeURIComponent(datasetId)}${what}?${new URLSearchParams(parameters)}`);
}
