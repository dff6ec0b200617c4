/** The mood view in the side panel: how the reader's messages felt over days, and whether that is kept at all. */

import { read, request } from "./api.js";
import { confirmAction } from "./dialogs.js";
import { h, iconButton } from "./dom.js";
import { day, languageChanges, percent, signed, t } from "./i18n.js";
import { emotionBars, moodChart } from "./mood-chart.js";
import { announce, notifyFailure } from "./notices.js";
import { closePanel, openPanel, showsPanel } from "./panel.js";

const RANGES = [7, 30, 90];
const MOST_BARS = 6;
const MOST_ROWS = 200;

let user = null;
let days = 30;
let shown = null;
let visit = 0;
let tableOpen = false;

const title = h("h2", { tabindex: "-1", t: "mood.title" });
const body = h("div", { class: "mood", tabindex: "0", role: "region", label: "mood.body" });
const ranges = h(
  "div",
  { class: "mood-ranges", role: "group", label: "mood.range" },
  RANGES.map((n) => h("button", { type: "button", t: ["mood.days", { n }], "data-days": n, onclick: () => look(n) })),
);
const recording = h(
  "button",
  { type: "button", class: "switch", role: "switch", onclick: () => choose().catch(notifyFailure) },
  h("span", { class: "switch-track" }),
  h("span", { t: "mood.record" }),
);
const view = h(
  "div",
  { class: "panel-view" },
  h(
    "header",
    {},
    title,
    iconButton("close", "action.close", () => closePanel()),
  ),
  h("div", { class: "mood-head" }, ranges),
  body,
  h("footer", { class: "mood-foot" }, recording, h("p", { class: "quiet-note", t: "mood.record.note" })),
);

languageChanges.addEventListener("change", () => shown && draw());

/** Show the view, or put it away when it is what is shown. */
export async function toggleMood(from) {
  if (showsPanel(view)) return closePanel();
  if (!shown) body.replaceChildren(h("p", { class: "quiet-note", role: "status", t: "mood.loading" }));
  openPanel(view, from);
  mark();
  user = (await read("/profile")).user_id;
  await refreshMood();
}

/** Read the window again, if it can be seen. */
export async function refreshMood() {
  if (!showsPanel(view) || user === null) return;
  const mine = ++visit;
  const found = await read(`/cognitive/emotion/${encodeURIComponent(user)}/trajectory?days=${days}`);
  if (mine !== visit) return;
  shown = { found, until: Date.now() };
  draw();
}

function look(n) {
  days = n;
  mark();
  refreshMood().catch(notifyFailure);
}

function mark() {
  for (const button of ranges.children) button.setAttribute("aria-pressed", Number(button.dataset.days) === days);
}

/** Recording on or off; off erases, so the reader is asked. */
async function choose() {
  if (!shown) return;
  const on = !shown.found.recording;
  if (!on && !(await confirmAction("mood.stop.title", "mood.stop.body", "mood.stop"))) return;
  const options = { method: "PUT", json: { recording: on } };
  await request(`/profile/${encodeURIComponent(user)}/mood`, options);
  announce(t(on ? "mood.started" : "mood.stopped"));
  await refreshMood();
}

function draw() {
  const { found, until } = shown;
  recording.setAttribute("aria-checked", found.recording);
  if (found.trajectory.length === 0) {
    const why = found.recording ? "none" : "off";
    body.replaceChildren(
      h("div", { class: "mood-none" }, h("h3", { t: `mood.${why}.title` }), h("p", { t: `mood.${why}.body` })),
    );
    return;
  }
  body.replaceChildren(
    moodChart(found, until),
    h("p", { class: "quiet-note", t: ["mood.count", { n: found.trajectory.length }] }),
    ...(found.trend === null ? [h("p", { class: "mood-few", t: "mood.few" })] : []),
    facts(found),
    ...changes(found.change_points),
    h("h3", { t: "mood.emotions" }),
    emotionBars(found.dominant_emotions.slice(0, MOST_BARS)),
    table(found.trajectory),
  );
}

function facts(found) {
  const { baseline_valence: usual, valence_std: spread, volatility, expected_next: next } = found;
  const rows = [
    usual !== null && ["mood.usual", ["mood.usual.value", { value: signed(usual), spread: spread.toFixed(2) }]],
    found.trend && ["mood.trend", [`mood.trend.${found.trend}`, { change: changeOver(found) }]],
    volatility !== null && ["mood.volatility", ["mood.volatility.value", { value: volatility.toFixed(2) }]],
    next && ["mood.next", ["mood.next.value", interval(next)]],
  ].filter(Boolean);
  return h(
    "dl",
    { class: "mood-facts" },
    rows.flatMap(([key, value]) => [h("dt", { t: key }), h("dd", { t: value })]),
  );
}

function changeOver({ trend_line: [first, last] }) {
  return signed(last - first);
}

function interval({ valence, valence_interval: [low, high] }) {
  return { value: signed(valence), low: signed(low), high: signed(high) };
}

function changes(points) {
  if (points.length === 0) return [];
  const entry = ({ at, before, after }) =>
    h(
      "li",
      {},
      h("time", { datetime: at }, day(at)),
      h("span", { t: ["mood.change", { before: signed(before), after: signed(after) }] }),
    );
  return [h("h3", { t: "mood.changes" }), h("ul", { class: "mood-changes" }, points.map(entry))];
}

/** The same readings for who would rather read than look, newest first. */
function table(points) {
  const columns = ["at", "emotion", "valence", "confidence"];
  const row = ({ at, primary_emotion: emotion, valence, confidence }) =>
    h(
      "tr",
      {},
      h("td", {}, h("time", { datetime: at }, day(at))),
      h("td", { t: `emotion.${emotion}` }),
      h("td", {}, signed(valence)),
      h("td", {}, percent(confidence)),
    );
  const head = h(
    "tr",
    {},
    columns.map((name) => h("th", { scope: "col", t: `mood.column.${name}` })),
  );
  const rows = points.slice(-MOST_ROWS).reverse().map(row);
  const details = h(
    "details",
    { open: tableOpen },
    h("summary", { t: "mood.table" }),
    h("table", { class: "mood-table" }, h("thead", {}, head), h("tbody", {}, rows)),
  );
  details.addEventListener("toggle", () => (tableOpen = details.open));
  return details;
}
