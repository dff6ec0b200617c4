/** Valence over days as a drawing: the readings, where they usually are, the trend, the changes, what comes next. */

import { h, svg } from "./dom.js";
import { day, signed } from "./i18n.js";

const WIDTH = 360;
const HEIGHT = 190;
const PLOT = { left: 26, right: 336, top: 12, bottom: 164 };
const NEXT_X = 348;
const TICKS = 4;
const DAY_MS = 86_400_000;
const MANY_POINTS = 80;

/** The drawing of a trajectory as the API gives it, `until` being the moment its window ends (milliseconds). */
export function moodChart(found, until) {
  const { trajectory: points, days } = found;
  const from = until - days * DAY_MS;
  const x = (at) => PLOT.left + ((Date.parse(at) - from) / (until - from)) * (PLOT.right - PLOT.left);
  const label = { n: points.length, days };
  const usual = found.baseline_valence !== null && ["mood.chart.usual", { value: signed(found.baseline_valence) }];
  return svg(
    "svg",
    {
      class: "mood-chart",
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      role: "img",
      label: ["mood.chart", label],
      "aria-describedby": usual ? "mood-usual" : undefined,
    },
    usual && svg("desc", { id: "mood-usual", t: usual }),
    svg("clipPath", { id: "mood-plot" }, box(PLOT.top, PLOT.bottom)),
    ...axes(from, until),
    svg(
      "g",
      { "clip-path": "url(#mood-plot)" },
      ...usualBand(found),
      ...trend(found, x),
      ...found.change_points.map((change) => changeLine(change, x)),
      svg("path", { class: "mood-line", d: path(points.map(({ at, valence }) => [x(at), y(valence)])) }),
    ),
    ...points.map((point) => dot(point, x, points.length > MANY_POINTS ? 1.8 : 2.8)),
    ...next(found.expected_next),
  );
}

/** Emotions with bars, the strongest first, as a list. */
export function emotionBars(emotions) {
  return h(
    "ul",
    { class: "mood-bars" },
    emotions.map(({ emotion, share }) => {
      const bar = h("span", { class: "mood-bar" });
      bar.style.setProperty("--share", share);
      return h("li", {}, h("span", { t: `emotion.${emotion}` }), bar, h("small", {}, `${Math.round(share * 100)} %`));
    }),
  );
}

function y(valence) {
  return PLOT.top + ((1 - valence) / 2) * (PLOT.bottom - PLOT.top);
}

function path(places) {
  return places.map(([a, b], i) => `${i ? "L" : "M"}${a.toFixed(1)} ${b.toFixed(1)}`).join("");
}

function box(top, bottom, properties = {}) {
  const width = PLOT.right - PLOT.left;
  return svg("rect", { x: PLOT.left, y: top, width, height: Math.max(bottom - top, 1), ...properties });
}

function across(at, properties) {
  return svg("line", { x1: PLOT.left, x2: PLOT.right, y1: at, y2: at, ...properties });
}

function axes(from, until) {
  const levels = [1, 0, -1].flatMap((level) => [
    across(y(level), { class: level ? "mood-grid" : "mood-grid zero" }),
    svg("text", { class: "mood-tick", x: PLOT.left - 5, y: y(level) + 3.5, "text-anchor": "end" }, signed(level, 0)),
  ]);
  const words = [
    ["mood.pleasant", y(1) + 11],
    ["mood.unpleasant", y(-1) - 5],
  ].map(([key, at]) => svg("text", { class: "mood-word", x: PLOT.left + 4, y: at, t: key }));
  const times = Array.from({ length: TICKS }, (_, i) => {
    const share = i / (TICKS - 1);
    const last = i === TICKS - 1;
    return svg(
      "text",
      {
        class: "mood-tick",
        x: PLOT.left + share * (PLOT.right - PLOT.left),
        y: PLOT.bottom + 16,
        "text-anchor": i ? (last ? "end" : "middle") : "start",
        t: last ? "mood.now" : undefined,
      },
      !last && day(new Date(from + share * (until - from)).toISOString()),
    );
  });
  return [...levels, ...words, ...times];
}

function usualBand({ baseline_valence: usual, valence_std: spread }) {
  if (usual === null) return [];
  return [
    box(y(usual + spread), y(usual - spread), { class: "mood-usual" }),
    across(y(usual), { class: "mood-usual-line" }),
  ];
}

/** The trend's line, and between the two steepest and flattest it may as well be, turned about its middle. */
function trend({ trend: way, trend_line: line, slope_interval: interval, trajectory: points }, x) {
  if (!line || !way) return [];
  const [first, last] = [points[0].at, points.at(-1).at];
  const half = (Date.parse(last) - Date.parse(first)) / DAY_MS / 2;
  const middle = (line[0] + line[1]) / 2;
  const [low, high] = interval;
  const fan = [
    [x(first), y(middle - low * half)],
    [x(last), y(middle + low * half)],
    [x(last), y(middle + high * half)],
    [x(first), y(middle - high * half)],
  ];
  const ends = [
    [x(first), y(line[0])],
    [x(last), y(line[1])],
  ];
  return [
    svg("path", { class: "mood-fan", d: bowTie(fan) }),
    svg("path", { class: `mood-trend ${way}`, d: path(ends) }),
  ];
}

/** Two triangles that meet where the lines cross; even-odd filling of the four corners would leave a gap. */
function bowTie([lowFirst, lowLast, highLast, highFirst]) {
  const centre = [(lowFirst[0] + lowLast[0]) / 2, (lowFirst[1] + lowLast[1]) / 2];
  return `${path([lowFirst, centre, highFirst])}Z${path([lowLast, centre, highLast])}Z`;
}

function changeLine({ at, before, after }, x) {
  const place = x(at);
  const words = { before: signed(before), after: signed(after) };
  return svg(
    "g",
    { class: "mood-change" },
    svg("title", { t: ["mood.change", words] }),
    svg("line", { x1: place, x2: place, y1: PLOT.top, y2: PLOT.bottom }),
    svg("path", { d: `M${place - 4} ${PLOT.top}h8l-4 6z` }),
  );
}

function dot({ at, valence, confidence, primary_emotion: emotion }, x, radius) {
  const mark = svg("circle", { class: "mood-dot", cx: x(at), cy: y(valence), r: radius });
  mark.style.setProperty("--sure", 0.3 + 0.7 * confidence);
  mark.append(svg("title", { t: `emotion.${emotion}` }));
  return mark;
}

function next(expected) {
  if (!expected) return [];
  const [low, high] = expected.valence_interval;
  return [
    svg("line", { class: "mood-next", x1: NEXT_X, x2: NEXT_X, y1: y(low), y2: y(high) }),
    svg("circle", { class: "mood-next", cx: NEXT_X, cy: y(expected.valence), r: 3 }),
  ];
}
