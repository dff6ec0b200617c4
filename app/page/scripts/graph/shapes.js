/** A shape for each kind of entity, so that colour is not the only sign; drawn on the canvas and in the legend. */

const LEAST_RADIUS = 4;
const MOST_RADIUS = 17;

const polygon = (corners, turn = -Math.PI / 2, size = 1.15) =>
  Array.from({ length: corners }, (_, i) => {
    const angle = turn + (2 * Math.PI * i) / corners;
    return [size * Math.cos(angle), size * Math.sin(angle)];
  });

const star = Array.from({ length: 10 }, (_, i) => {
  const angle = -Math.PI / 2 + (Math.PI * i) / 5;
  const size = i % 2 ? 0.62 : 1.3;
  return [size * Math.cos(angle), size * Math.sin(angle)];
});
const [arm, reach] = [0.42, 1.1];
const cross = [
  [-arm, -reach],
  [arm, -reach],
  [arm, -arm],
  [reach, -arm],
  [reach, arm],
  [arm, arm],
  [arm, reach],
  [-arm, reach],
  [-arm, arm],
  [-reach, arm],
  [-reach, -arm],
  [-arm, -arm],
];

/** Corners in radii round the middle; kinds that are not here are round. */
const CORNERS = {
  organization: polygon(4, Math.PI / 4, 1.27),
  location: polygon(3, Math.PI / 2, 1.35),
  event: star,
  product: polygon(4, Math.PI / 2, 1.32),
  concept: polygon(6, 0),
  process: polygon(3, 0, 1.35),
  metric: cross,
  work: polygon(5),
};
const HOLE = 0.45;

/** How large a node is, in pixels at scale 1: by the passages that speak of it. */
export function radiusOf({ mentions }) {
  return Math.min(MOST_RADIUS, LEAST_RADIUS + 1.7 * Math.sqrt(Math.max(0, mentions - 1)));
}

/** Add a kind's outline to a path (canvas or Path2D). */
export function trace(path, type, x, y, radius) {
  const corners = CORNERS[type];
  if (!corners) {
    path.moveTo(x + radius, y);
    path.arc(x, y, radius, 0, 2 * Math.PI);
    if (type === "time") {
      path.moveTo(x + HOLE * radius, y);
      path.arc(x, y, HOLE * radius, 0, 2 * Math.PI, true);
    }
    return;
  }
  corners.forEach(([dx, dy], i) => {
    if (i === 0) path.moveTo(x + dx * radius, y + dy * radius);
    else path.lineTo(x + dx * radius, y + dy * radius);
  });
  path.closePath();
}

/** The same outline as the `d` of an SVG path in a box of 24 units. */
export function outline(type) {
  const round = (r) => `M${12 + r} 12A${r} ${r} 0 1 1 ${12 - r} 12A${r} ${r} 0 1 1 ${12 + r} 12Z`;
  const corners = CORNERS[type];
  if (corners)
    return `M${corners.map(([dx, dy]) => `${(12 + dx * 7).toFixed(2)} ${(12 + dy * 7).toFixed(2)}`).join("L")}Z`;
  return type === "time" ? round(7.5) + round(3.4) : round(type ? 7 : 5);
}
