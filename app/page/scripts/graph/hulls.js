/** The outline of a community. */

const FAR = 2.6;

/**
 * The convex hull (Andrew's monotone chain) of the points, without those that stand more than 2.6 times as far from
 * the middle as the median one does; fewer than three corners when there is none.
 */
export function hull(points) {
  if (points.length < 3) return points;
  const kept = near(points).sort((p, q) => p[0] - q[0] || p[1] - q[1]);
  const lower = chain(kept);
  const upper = chain([...kept].reverse());
  return [...lower.slice(0, -1), ...upper.slice(0, -1)];
}

function near(points) {
  const middle = [0, 1].map((axis) => median(points.map((point) => point[axis])));
  const away = points.map(([x, y]) => Math.hypot(x - middle[0], y - middle[1]));
  const limit = FAR * median(away);
  return points.filter((_, i) => away[i] <= limit);
}

function median(values) {
  return [...values].sort((p, q) => p - q)[Math.floor(values.length / 2)];
}

function chain(points) {
  const corners = [];
  for (const point of points) {
    while (corners.length > 1 && turn(corners.at(-2), corners.at(-1), point) <= 0) corners.pop();
    corners.push(point);
  }
  return corners;
}

function turn([ax, ay], [bx, by], [cx, cy]) {
  return (bx - ax) * (cy - ay) - (by - ay) * (cx - ax);
}

/** The corners, `by` pixels further from their middle. */
export function grown(corners, by) {
  const [mx, my] = [0, 1].map((axis) => corners.reduce((sum, corner) => sum + corner[axis], 0) / corners.length);
  return corners.map(([x, y]) => {
    const away = Math.hypot(x - mx, y - my) || 1;
    return [x + ((x - mx) * by) / away, y + ((y - my) * by) / away];
  });
}

/** Add a closed outline to a path that bends round its corners, through the middles of its sides (quadratic B-spline). */
export function traceSoftly(path, corners) {
  const middle = ([ax, ay], [bx, by]) => [(ax + bx) / 2, (ay + by) / 2];
  path.moveTo(...middle(corners.at(-1), corners[0]));
  corners.forEach((corner, i) =>
    path.quadraticCurveTo(...corner, ...middle(corner, corners[(i + 1) % corners.length])),
  );
  path.closePath();
}
