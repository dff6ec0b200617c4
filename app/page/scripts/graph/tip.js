/** The note beside the pointer: who this is, or how two relate. */

import { h } from "../dom.js";
import { relationText } from "../relations.js";
import { isSaid } from "./model.js";

/** For `{node, link}` of a model. */
export function tipOf({ node, link }, model) {
  if (node >= 0) {
    const { name, type, mentions } = model.nodes[node];
    const about = [type && h("span", { t: `type.${type}` }), h("span", { t: ["graph.mentions", { n: mentions }] })];
    return [h("strong", {}, name), h("small", {}, ...about.filter(Boolean))];
  }
  const [edge] = link.edges;
  const [source, target] = [model.byId(edge.source), model.byId(edge.target)];
  if (!isSaid(link)) return [h("strong", {}, `${source.name} · ${target.name}`), h("small", { t: "graph.together" })];
  const more = link.edges.length > 1 && h("small", { t: ["graph.more.relations", { n: link.edges.length - 1 }] });
  return [h("strong", {}, source.name, relation(edge.relation), target.name), more].filter(Boolean);
}

function relation(name) {
  const text = relationText(name);
  return h("em", text, text.t ? "" : name);
}
