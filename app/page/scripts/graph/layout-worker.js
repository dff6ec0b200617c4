/**
 * Finds places for the nodes, off the page's own thread: springs along the links, a push between all nodes, a pull
 * towards the middle and towards one's own community. The d3 files define a global `d3`, in this order.
 */

import "/page/vendor/d3-dispatch.js";
import "/page/vendor/d3-quadtree.js";
import "/page/vendor/d3-timer.js";
import "/page/vendor/d3-force.js";

const { forceCollide, forceLink, forceManyBody, forceSimulation, forceX, forceY } = globalThis.d3;
const SLICE_MS = 70;
const FEW = 120;
const MIDDLING = 600;
const MANY = 1500;
const GOLDEN = Math.PI * (3 - Math.sqrt(5));
let current = null;

/** A message asks for a layout: `{id, links, strengths, radii, groups, places}`; a newer one takes its place. */
self.addEventListener("message", ({ data }) => {
  current = simulation(data);
  current.id = data.id;
  step(current);
});

function simulation({ links, strengths, radii, groups, places }) {
  const [few, middling, many] = [radii.length < FEW, radii.length < MIDDLING, radii.length > MANY];
  const nodes = seeded(radii, groups, places);
  const pairs = Array.from(strengths, (strength, i) => ({ source: links[2 * i], target: links[2 * i + 1], strength }));
  const springs = forceLink(pairs).distance((link) => (few ? 1.5 : 1) * restLength(link, groups, radii));
  const usual = springs.strength();
  springs.strength((link, i, all) => usual(link, i, all) * link.strength * (sameGroup(link, groups) ? 1 : 0.35));
  const run = forceSimulation(nodes).stop();
  run
    .alphaMin(many ? 0.008 : 0.001)
    .alphaDecay(many ? 0.034 : 0.0228)
    .velocityDecay(many ? 0.45 : 0.38);
  if (settled(places)) run.alpha(0.35);
  run.force("links", springs);
  const push = few ? 2.6 : middling ? 1.8 : 1;
  run.force(
    "push",
    forceManyBody()
      .strength((node) => push * (-42 - 5 * node.radius))
      .theta(many ? 1.2 : 0.9),
  );
  run.force("x", forceX().strength(many ? 0.03 : 0.045));
  run.force("y", forceY().strength(many ? 0.03 : 0.06));
  run.force("groups", together(nodes, groups, 0.09));
  if (!many) run.force("apart", forceCollide((node) => node.radius + (few ? 18 : middling ? 12 : 7)).strength(0.7));
  return run;
}

function settled(places) {
  let known = 0;
  for (let i = 0; i < places.length; i += 2) if (!Number.isNaN(places[i])) known += 1;
  return known * 2 > places.length / 2;
}

function sameGroup({ source, target }, groups) {
  return groups[source.index] >= 0 && groups[source.index] === groups[target.index];
}

function restLength({ source, target }, groups, radii) {
  return 30 + radii[source.index] + radii[target.index] + (sameGroup({ source, target }, groups) ? 0 : 55);
}

/** Nodes without a place begin among their community, communities on a spiral round the middle. */
function seeded(radii, groups, places) {
  const within = new Map();
  const spread = 14 * Math.sqrt(radii.length);
  return Array.from(radii, (radius, index) => {
    const [x, y] = [places[2 * index], places[2 * index + 1]];
    if (!Number.isNaN(x)) return { index, radius, x, y };
    const group = groups[index];
    const rank = within.get(group) ?? 0;
    within.set(group, rank + 1);
    const far = group < 0 ? 1.5 * spread : spread * Math.sqrt((group + 0.5) / 8);
    const near = 9 * Math.sqrt(rank + 0.5);
    const [turn, own] = [(group < 0 ? rank : group) * GOLDEN, rank * GOLDEN];
    return {
      index,
      radius,
      x: far * Math.cos(turn) + near * Math.cos(own),
      y: far * Math.sin(turn) + near * Math.sin(own),
    };
  });
}

/** A force that pulls each node towards the middle of its community. */
function together(nodes, groups, strength) {
  const count = Math.max(-1, ...groups) + 1;
  return (alpha) => {
    const sums = new Float64Array(3 * count);
    for (const node of nodes) {
      const group = groups[node.index];
      if (group < 0) continue;
      sums[3 * group] += node.x;
      sums[3 * group + 1] += node.y;
      sums[3 * group + 2] += 1;
    }
    for (const node of nodes) {
      const group = groups[node.index];
      if (group < 0) continue;
      node.vx += (sums[3 * group] / sums[3 * group + 2] - node.x) * strength * alpha;
      node.vy += (sums[3 * group + 1] / sums[3 * group + 2] - node.y) * strength * alpha;
    }
  };
}

function step(run) {
  if (run !== current) return;
  const until = performance.now() + SLICE_MS;
  while (run.alpha() > run.alphaMin() && performance.now() < until) run.tick();
  const done = run.alpha() <= run.alphaMin();
  const places = new Float32Array(2 * run.nodes().length);
  run.nodes().forEach(({ x, y }, i) => places.set([x, y], 2 * i));
  self.postMessage(
    { id: run.id, places, done, share: 1 - Math.log(run.alpha() / run.alphaMin()) / -Math.log(run.alphaMin()) },
    [places.buffer],
  );
  if (!done) setTimeout(() => step(run));
}
