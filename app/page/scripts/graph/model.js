/** A part of a knowledge graph as the page holds it: who is in it, who stands beside whom, and who belongs together. */

/** How sure a relation must be to be more than standing together. */
const SAID = 0.01;

/**
 * `nodes` and `edges` are the server's, with `index` and `degree` added to a node. `links` join two nodes whatever
 * their number of relations, the weightiest first: `{a, b, edges, confidence, evidence}`, a and b indices of nodes.
 */
export class GraphModel {
  nodes = [];
  links = [];
  /** How many relations some sentence states; the others only stand together. */
  relations = 0;
  /** By node: the indices of its links. */
  linksOf = [];
  /** The coarsest communities, the largest first: `{id, summary, members}`, members indices of nodes. */
  communities = [];
  /** By node: the place of its community in `communities`, -1 without one. */
  communityOf = [];
  #byId = new Map();
  #byName = new Map();

  constructor({ nodes, edges, communities }) {
    this.nodes = nodes.map((node, index) => ({ ...node, index, degree: 0 }));
    this.#byId = new Map(this.nodes.map((node) => [node.id, node]));
    this.links = joined(edges, this.#byId);
    this.relations = this.links.reduce((sum, link) => sum + link.edges.filter(isSaid).length, 0);
    this.linksOf = this.nodes.map(() => []);
    this.links.forEach(({ a, b }, i) => [a, b].forEach((end) => this.linksOf[end].push(i)));
    for (const node of this.nodes) node.degree = this.linksOf[node.index].length;
    this.#group(communities);
    for (const node of [...this.nodes].reverse())
      for (const name of [...(node.aliases ?? []), node.name, node.id]) this.#byName.set(folded(name), node);
  }

  /** The node with this id; undefined for a stranger. */
  byId(id) {
    return this.#byId.get(id);
  }

  /** The node that is called so, or has this id. */
  named(name) {
    return this.#byId.get(name) ?? this.#byName.get(folded(name));
  }

  /** The link between two nodes; undefined when nothing joins them. */
  between(a, b) {
    const found = this.linksOf[a].find((i) => this.links[i].a === b || this.links[i].b === b);
    return this.links[found];
  }

  /** The nodes at the other end of a node's links, with the link: the surest first. */
  neighbours(index) {
    const around = this.linksOf[index].map((i) => {
      const link = this.links[i];
      return { link, node: this.nodes[link.a === index ? link.b : link.a] };
    });
    return around.sort((p, q) => q.link.confidence - p.link.confidence || q.node.mentions - p.node.mentions);
  }

  /** Nodes by importance: what most passages speak of first. */
  ranked() {
    return [...this.nodes].sort((p, q) => q.mentions - p.mentions || q.degree - p.degree || (p.name < q.name ? -1 : 1));
  }

  #group(communities) {
    const parents = new Map(communities.map(({ id, parent }) => [id, parent]));
    const rootOf = (id) => {
      for (let guard = 0; parents.get(id) && guard < 16; guard += 1) id = parents.get(id);
      return id;
    };
    const members = new Map();
    for (const node of this.nodes) {
      if (node.community === null || node.community === undefined) continue;
      const root = rootOf(node.community);
      members.set(root, [...(members.get(root) ?? []), node.index]);
    }
    const summaries = new Map(communities.map(({ id, summary }) => [id, summary]));
    this.communities = [...members]
      .filter(([, indices]) => indices.length > 1)
      .map(([id, indices]) => ({ id, summary: summaries.get(id) ?? "", members: indices }))
      .sort((p, q) => q.members.length - p.members.length || (p.id < q.id ? -1 : 1));
    this.communityOf = this.nodes.map(() => -1);
    this.communities.forEach(({ members: indices }, i) => indices.forEach((index) => (this.communityOf[index] = i)));
  }
}

/** Parts of one graph as one part; what is in several is taken once. */
export function merged(parts) {
  const nodes = new Map(parts.flatMap((part) => part.nodes.map((node) => [node.id, node])));
  const edges = new Map(
    parts.flatMap((part) => part.edges.map((edge) => [`${edge.source}\n${edge.relation}\n${edge.target}`, edge])),
  );
  const communities = new Map(parts.flatMap((part) => part.communities.map((one) => [one.id, one])));
  return {
    ...parts[0],
    nodes: [...nodes.values()],
    edges: [...edges.values()],
    communities: [...communities.values()],
    complete: parts.every(({ complete }) => complete),
    degraded: parts.some(({ degraded }) => degraded),
  };
}

/** A name as it is compared: case, width and spaces do not matter. */
export function folded(name) {
  return name.normalize("NFKC").toLowerCase().replaceAll(/\s+/g, " ").trim();
}

function joined(edges, byId) {
  const links = new Map();
  for (const edge of edges) {
    const [source, target] = [byId.get(edge.source), byId.get(edge.target)];
    if (!source || !target || source === target) continue;
    const [a, b] = source.index < target.index ? [source.index, target.index] : [target.index, source.index];
    const key = a * byId.size + b;
    const link = links.get(key) ?? { a, b, edges: [], confidence: 0, evidence: 0 };
    link.edges.push(edge);
    link.confidence = Math.max(link.confidence, edge.confidence);
    link.evidence += edge.evidence;
    links.set(key, link);
  }
  for (const link of links.values()) link.edges.sort((p, q) => q.confidence - p.confidence);
  return [...links.values()].sort((p, q) => weightOf(q) - weightOf(p));
}

/** How much a link counts for, when not all can be drawn. */
function weightOf({ confidence, evidence }) {
  return (confidence > SAID ? 1 + confidence : 0) + Math.log1p(evidence) / 4;
}

/** Whether a sentence says how the two ends of an edge or a link relate; else they only stand together. */
export function isSaid({ confidence }) {
  return confidence > SAID;
}
