/**
 * Which names are written on the canvas: the weightiest that have room, beside their nodes and over no other; among
 * many nodes they may stand over those without a name.
 */

const MOST = 80;
const PER_PIXELS = 9000;
const TRIED = 900;
const DENSE = 400;
const LONGEST = 26;
const CELL = 10;
const ROWS = 4096;
const LINE = 15;
const WRITING = -1;
const WEIGHTY = 24;
const widths = new Map();

/** What is written where, on a coarse grid: nothing over anything else. */
export class Room {
  #taken = new Map();

  /** Whether a box `[left, top, right, bottom]` is free, but for what `owner` has taken. */
  free(box, owner = null) {
    return cellsOf(box).every((cell) => !this.#taken.has(cell) || this.#taken.get(cell) === owner);
  }

  /** Whether nothing is written in a box; nodes may stand there. */
  unwritten(box) {
    return cellsOf(box).every((cell) => this.#taken.get(cell) !== WRITING);
  }

  /** Take a box for a node, or for writing, which goes before nodes. */
  take(box, owner = WRITING) {
    for (const cell of cellsOf(box)) if (owner === WRITING || !this.#taken.has(cell)) this.#taken.set(cell, owner);
  }
}

/**
 * Labels for `candidates` (indices, the weightiest first): `{index, text, x, y, font}` with x the middle and y the top;
 * those of `loud` are written in any case.
 */
export function placeLabels(context, room, { candidates, at, radius, name, loud, font, width, height }) {
  const visible = candidates
    .slice(0, TRIED)
    .filter(
      (index) => at[2 * index] > 0 && at[2 * index] < width && at[2 * index + 1] > 0 && at[2 * index + 1] < height,
    );
  const dense = visible.length > DENSE;
  if (!dense) for (const index of visible) room.take(boxOfNode(at, index, radius(index)), index);
  const labels = [];
  const most = (dense ? 0.5 : 1) * Math.min(MOST, Math.round((width * height) / PER_PIXELS)) + loud.size;
  for (const [rank, index] of [...new Set(visible)].entries()) {
    if (labels.length >= most) break;
    const must = loud.has(index);
    const face = `${must ? 650 : radius(index) > 9 ? 550 : 400} ${must ? 13 : radius(index) > 9 ? 12.5 : 11.5}px ${font}`;
    const text = shortened(name(index), must);
    const boxes = boxesBeside(at, index, radius(index) + (must ? 4 : 0), widthOf(context, text, face));
    const inside = boxes.filter(([left, , right]) => left > 2 && right < width - 2);
    const free = inside.find((box) => room.free(box, index));
    const over = rank < WEIGHTY && inside.find((box) => room.unwritten(box));
    const spot = free || over || (must && boxes[0]);
    if (!spot) continue;
    room.take(spot);
    if (dense) room.take(boxOfNode(at, index, radius(index)));
    labels.push({ index, text, x: (spot[0] + spot[2]) / 2, y: spot[1], font: face });
  }
  return labels;
}

/** Where a label may stand: below, above, at the right and at the left of its node. */
function boxesBeside(at, index, radius, width) {
  const [x, y] = [at[2 * index], at[2 * index + 1]];
  const gap = radius * 1.2 + 3;
  return [
    [x - width / 2, y + gap, x + width / 2, y + gap + LINE],
    [x - width / 2, y - gap - LINE, x + width / 2, y - gap],
    [x + gap + 1, y - LINE / 2, x + gap + 1 + width, y + LINE / 2],
    [x - gap - 1 - width, y - LINE / 2, x - gap - 1, y + LINE / 2],
  ];
}

function boxOfNode(at, index, radius) {
  const [x, y] = [at[2 * index], at[2 * index + 1]];
  return [x - radius, y - radius, x + radius, y + radius];
}

/** The cells of the grid that a box covers. */
function cellsOf([left, top, right, bottom]) {
  const cells = [];
  for (let column = Math.floor(left / CELL); column <= Math.floor(right / CELL); column += 1)
    for (let row = Math.floor(top / CELL); row <= Math.floor(bottom / CELL); row += 1) cells.push(column * ROWS + row);
  return cells;
}

function shortened(name, whole) {
  const letters = [...name];
  return whole || letters.length <= LONGEST ? name : `${letters.slice(0, LONGEST - 1).join("")}…`;
}

function widthOf(context, text, font) {
  const key = `${font}\n${text}`;
  if (!widths.has(key)) {
    if (widths.size > 20000) widths.clear();
    context.font = font;
    widths.set(key, context.measureText(text).width);
  }
  return widths.get(key);
}
