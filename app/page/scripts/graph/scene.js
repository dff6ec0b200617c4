/**
 * What the canvas shows, and how it is painted. Of a large graph only as much is painted as can be told apart: labels
 * of the weightiest nodes that have room, and while the view moves only the weightiest links.
 */

import { grown, hull, traceSoftly } from "./hulls.js";
import { placeLabels, Room } from "./labels.js";
import { isSaid } from "./model.js";
import { radiusOf, trace } from "./shapes.js";

const MOST_HULLS = 8;
const MOVING_LINKS = 2500;
const CHUNK = 300;
const TINY = 2.6;
const OUTLINED = 4.5;
const READABLE_LINKS = 40;
const SPOKEN_LINKS = 12;

/** A picture of a model; change its fields, then `paint`. */
export class Scene {
  model = null;
  /** x and y by node. */
  places = new Float32Array(0);
  camera = null;
  palette = null;
  /** `type` or `community`. */
  colourBy = "type";
  /** Kinds that are not shown. */
  hidden = new Set();
  hovered = { node: -1, link: null };
  selected = { node: -1, link: null };
  /** `{nodes: [index], hops: [{a, b, forward}]}`, or null. */
  path = null;
  /** Words for a link, drawn beside it where there is room. */
  wordsFor = () => "";
  #radii = new Float32Array(0);
  #ranked = [];

  /** Show another model. */
  setModel(model, places) {
    this.model = model;
    this.places = places;
    this.#radii = Float32Array.from(model.nodes, radiusOf);
    this.#ranked = model.ranked().map(({ index }) => index);
    this.hovered = { node: -1, link: null };
    this.selected = { node: -1, link: null };
  }

  /** How much there is to paint. */
  get weight() {
    return this.model ? this.model.nodes.length + this.model.links.length : 0;
  }

  /** Whether a node is shown at all. */
  shows(index) {
    return !this.hidden.has(this.model.nodes[index].type);
  }

  /** A node's radius on the canvas: it grows slower than the distances do. */
  radius(index) {
    return this.#radii[index] * Math.min(2.2, Math.max(0.38, Math.sqrt(this.camera.scale)));
  }

  /** Paint the whole on a canvas of `width` by `height` pixels; `moving` asks for speed. */
  paint(context, width, height, ratio, moving) {
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    if (!this.model) return;
    const at = this.#pixels();
    const lit = this.#lit();
    if (this.colourBy === "community") this.#paintHulls(context, at);
    this.#paintLinks(context, at, width, height, moving, lit);
    this.#paintNodes(context, at, width, height, lit);
    this.#paintLabels(context, at, width, height, lit);
  }

  #pixels() {
    const { scale, x, y } = this.camera;
    const at = new Float32Array(this.places.length);
    for (let i = 0; i < at.length; i += 2) {
      at[i] = this.places[i] * scale + x;
      at[i + 1] = this.places[i + 1] * scale + y;
    }
    return at;
  }

  /** The nodes and links that stand out; null when all are alike. */
  #lit() {
    const { node, link } = this.hovered.node >= 0 || this.hovered.link ? this.hovered : this.selected;
    if (node < 0 && !link && !this.path) return null;
    const nodes = new Set(this.path?.nodes ?? []);
    const links = new Set();
    if (link) [link.a, link.b].forEach((end) => nodes.add(end));
    if (link) links.add(link);
    if (node >= 0) {
      nodes.add(node);
      for (const i of this.model.linksOf[node]) {
        links.add(this.model.links[i]);
        nodes.add(this.model.links[i].a).add(this.model.links[i].b);
      }
    }
    return { nodes, links, middle: node };
  }

  #colourOf(index) {
    const { communities, types } = this.palette;
    if (this.colourBy === "type") return types[this.model.nodes[index].type] ?? types[""];
    const place = this.model.communityOf[index];
    return place >= 0 && place < communities.length ? communities[place] : types[""];
  }

  #paintHulls(context, at) {
    const { communities } = this.palette;
    this.model.communities.slice(0, MOST_HULLS).forEach(({ members }, i) => {
      const shown = members.filter((index) => this.shows(index));
      const corners = hull(shown.map((index) => [at[2 * index], at[2 * index + 1]]));
      if (corners.length < 3) return;
      context.beginPath();
      traceSoftly(context, grown(corners, Math.min(46, 14 + 18 * this.camera.scale)));
      context.fillStyle = communities[i % communities.length];
      context.globalAlpha = 0.12;
      context.fill();
    });
    context.globalAlpha = 1;
  }

  #paintLinks(context, at, width, height, moving, lit) {
    const { model, palette } = this;
    const said = [];
    const together = [];
    let budget = moving && model.links.length > MOVING_LINKS ? MOVING_LINKS : Infinity;
    for (const link of model.links) {
      if (budget <= 0) break;
      if (lit?.links.has(link) || !this.shows(link.a) || !this.shows(link.b)) continue;
      if (beside(at, link, width, height)) continue;
      (isSaid(link) ? said : together).push(link);
      budget -= 1;
    }
    const crowd = Math.min(1, 900 / Math.max(1, said.length + together.length));
    const dim = lit ? 0.45 : 1;
    context.lineWidth = 1;
    context.strokeStyle = palette.ink;
    strokeAll(context, at, together, dim * (0.05 + 0.09 * crowd));
    strokeAll(context, at, said, dim * (0.1 + 0.2 * crowd));
    if (lit) this.#paintLit(context, at, lit);
    if (this.path) this.#paintPath(context, at);
    context.globalAlpha = 1;
  }

  #paintLit(context, at, lit) {
    const shown = [...lit.links].filter(({ a, b }) => this.shows(a) && this.shows(b));
    context.strokeStyle = this.palette.accent;
    context.lineWidth = 1.6;
    strokeAll(context, at, shown, shown.length > 60 ? 0.4 : 0.75);
    if (shown.length > READABLE_LINKS) return;
    context.fillStyle = this.palette.accent;
    for (const link of shown.filter(isSaid)) {
      const [edge] = link.edges;
      const forward = this.model.byId(edge.source).index === link.a;
      this.#arrow(context, at, forward ? link.a : link.b, forward ? link.b : link.a, 5);
    }
  }

  #paintPath(context, at) {
    context.strokeStyle = context.fillStyle = this.palette.accent;
    context.lineCap = "round";
    context.globalAlpha = 1;
    context.lineWidth = 3.5;
    for (const { a, b, forward } of this.path.hops) {
      strokeAll(context, at, [{ a, b }], 1);
      this.#arrow(context, at, forward ? a : b, forward ? b : a, 10);
    }
    context.lineCap = "butt";
  }

  #arrow(context, at, from, to, size) {
    const [dx, dy] = [at[2 * to] - at[2 * from], at[2 * to + 1] - at[2 * from + 1]];
    const length = Math.hypot(dx, dy);
    const gap = this.radius(to) * 1.2 + 2;
    if (length < gap + size) return;
    const [ux, uy] = [dx / length, dy / length];
    const [x, y] = [at[2 * to] - ux * gap, at[2 * to + 1] - uy * gap];
    context.beginPath();
    context.moveTo(x, y);
    context.lineTo(x - ux * size - uy * size * 0.5, y - uy * size + ux * size * 0.5);
    context.lineTo(x - ux * size + uy * size * 0.5, y - uy * size - ux * size * 0.5);
    context.fill();
  }

  #paintNodes(context, at, width, height, lit) {
    const groups = new Map();
    this.model.nodes.forEach((node, index) => {
      const [x, y, radius] = [at[2 * index], at[2 * index + 1], this.radius(index)];
      if (!this.shows(index) || x < -radius || y < -radius || x > width + radius || y > height + radius) return;
      const colour = this.#colourOf(index);
      const key = `${lit && !lit.nodes.has(index) ? 0 : 1}${colour}`;
      if (!groups.has(key)) groups.set(key, { colour, small: new Path2D(), large: new Path2D() });
      const group = groups.get(key);
      if (radius < TINY) group.small.rect(x - radius, y - radius, 2 * radius, 2 * radius);
      else trace(radius < OUTLINED ? group.small : group.large, node.type, x, y, radius);
    });
    context.lineWidth = 1.5;
    context.lineJoin = "round";
    context.strokeStyle = this.palette.paper;
    for (const key of [...groups.keys()].sort()) {
      const { colour, small, large } = groups.get(key);
      context.globalAlpha = key[0] === "0" ? 0.28 : 1;
      context.fillStyle = colour;
      context.fill(small);
      context.stroke(large);
      context.fill(large, "evenodd");
    }
    context.globalAlpha = 1;
    this.#paintRings(context, at);
  }

  #paintRings(context, at) {
    context.strokeStyle = this.palette.accent;
    const ring = (index, width, gap) => {
      if (index < 0 || !this.shows(index)) return;
      context.lineWidth = width;
      context.beginPath();
      context.arc(at[2 * index], at[2 * index + 1], this.radius(index) * 1.2 + gap, 0, 2 * Math.PI);
      context.stroke();
    };
    for (const index of this.path?.nodes ?? []) ring(index, 2, 3);
    ring(this.hovered.node, 2, 3);
    ring(this.selected.node, 2.5, 4);
  }

  #paintLabels(context, at, width, height, lit) {
    const { model, palette } = this;
    const room = new Room();
    const first = [this.hovered.node, this.selected.node, ...(this.path?.nodes ?? [])].filter((index) => index >= 0);
    const loud = new Set(first);
    const candidates = lit ? [...first, ...this.#ranked.filter((index) => lit.nodes.has(index))] : this.#ranked;
    context.textAlign = "center";
    context.lineJoin = "round";
    context.strokeStyle = palette.paper;
    context.lineWidth = 3.5;
    for (const hop of this.path?.hops ?? []) this.#paintWords(context, at, room, hop, hop.words);
    const labels = placeLabels(context, room, {
      candidates: candidates.filter((index) => this.shows(index)),
      at,
      radius: (index) => this.radius(index),
      name: (index) => model.nodes[index].name,
      loud,
      font: palette.font,
      width,
      height,
    });
    context.textBaseline = "top";
    for (const { index, text, x, y, font } of labels) {
      context.font = font;
      context.strokeText(text, x, y);
      context.fillStyle = loud.has(index) || model.nodes[index].mentions > 1 ? palette.ink : palette["ink-soft"];
      context.fillText(text, x, y);
    }
    const spoken = lit && lit.links.size <= SPOKEN_LINKS ? [...lit.links].filter(isSaid) : [];
    for (const link of spoken) this.#paintWords(context, at, room, link, this.wordsFor(link));
  }

  /** What a link says, at its middle, where there is room. */
  #paintWords(context, at, room, { a, b }, words) {
    if (!this.shows(a) || !this.shows(b)) return;
    context.font = `500 11.5px ${this.palette.font}`;
    const width = context.measureText(words).width;
    const [x, y] = [(at[2 * a] + at[2 * b]) / 2, (at[2 * a + 1] + at[2 * b + 1]) / 2];
    const box = [x - width / 2, y - 7, x + width / 2, y + 7];
    if (Math.hypot(at[2 * a] - at[2 * b], at[2 * a + 1] - at[2 * b + 1]) < width + 24 || !room.free(box)) return;
    room.take(box);
    context.textBaseline = "middle";
    context.strokeText(words, x, y);
    context.fillStyle = this.palette.accent;
    context.fillText(words, x, y);
  }

  /** The node at a pixel, -1 for none; `reach` pixels off still count. */
  nodeAt(x, y, reach) {
    const at = this.#pixels();
    let [found, least] = [-1, Infinity];
    for (let i = 0; i < this.model.nodes.length; i += 1) {
      const off = Math.hypot(at[2 * i] - x, at[2 * i + 1] - y) - this.radius(i);
      if (off < least && off < reach && this.shows(i)) [found, least] = [i, off];
    }
    return found;
  }

  /** The link at a pixel, or null. */
  linkAt(x, y, reach) {
    const at = this.#pixels();
    let [found, least] = [null, reach];
    for (const link of this.model.links) {
      const off = distance(at, link, x, y);
      if (off < least && this.shows(link.a) && this.shows(link.b)) [found, least] = [link, off];
    }
    return found;
  }
}

/** Whether a link passes the canvas by for certain. */
function beside(at, { a, b }, width, height) {
  const [x0, y0, x1, y1] = [at[2 * a], at[2 * a + 1], at[2 * b], at[2 * b + 1]];
  return (x0 < 0 && x1 < 0) || (y0 < 0 && y1 < 0) || (x0 > width && x1 > width) || (y0 > height && y1 > height);
}

/** Paths of a moderate length paint faster than one long one. */
function strokeAll(context, at, links, alpha) {
  context.globalAlpha = alpha;
  for (let from = 0; from < links.length; from += CHUNK) {
    context.beginPath();
    for (const { a, b } of links.slice(from, from + CHUNK)) {
      context.moveTo(at[2 * a], at[2 * a + 1]);
      context.lineTo(at[2 * b], at[2 * b + 1]);
    }
    context.stroke();
  }
}

function distance(at, { a, b }, x, y) {
  const [x0, y0] = [at[2 * a], at[2 * a + 1]];
  const [dx, dy] = [at[2 * b] - x0, at[2 * b + 1] - y0];
  const along = Math.min(1, Math.max(0, ((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy || 1)));
  return Math.hypot(x - x0 - along * dx, y - y0 - along * dy);
}
