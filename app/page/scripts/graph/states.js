/** Why there is nothing to see, or not all of it, and what to do about it. */

import { h, icon } from "../dom.js";
import { errorText } from "../errors.js";
import { percent } from "../i18n.js";
import { request } from "../api.js";
import { library } from "../library.js";
import { notifyFailure } from "../notices.js";
import { LIMITS } from "./source.js";

/** Remarks on a part that is shown: how much of the graph it is, and whether the graph is behind. */
export function remarks(part, model, { q, steps, status, limit }, { all, more, again }) {
  if (model.nodes.length === 0) return [];
  const counts = { n: model.nodes.length, m: model.relations, q };
  const kind = steps ? "path" : q ? "around" : part.complete ? "all" : "most";
  const size = h("p", {}, h("span", { t: [`graph.shown.${kind}`, counts] }));
  if ((q || steps) && all) size.append(action("graph.show.all", all));
  else if (!part.complete && limit < LIMITS.at(-1)) size.append(action("graph.show.more", more));
  const found = [size];
  if (!part.complete && !q && !steps) size.append(h("small", { t: "graph.cut" }));
  if (status?.stage === "graph") found.push(building(status));
  else if (part.degraded || status?.notices?.includes("graph_behind"))
    found.push(
      h("p", { class: "warn" }, icon("alert"), h("span", { t: "graph.behind" }), action("graph.again", again)),
    );
  return found;
}

/** Why there is nothing: no documents, none read yet, no graph of them, or nothing of that name. */
export function absence({ q, dataset, status, degraded }, { all, add, again }) {
  if (q) return words("graph.none.named", { q }, [action("graph.show.all", all, "primary")]);
  if (!status || status.counts.documents === 0)
    return words("graph.none", {}, [action("documents.add", add, "primary")]);
  if (status.status === "indexing")
    return [building(status), h("p", { class: "quiet-note", t: "graph.building.more" })];
  if (degraded || status.notices?.includes("graph_behind"))
    return words("graph.none.behind", {}, [action("graph.again", again, "primary")]);
  if (status.index_type === "vector" || status.options?.build_graph === false)
    return words("graph.none.unbuilt", {}, [
      action("graph.build", () => build(dataset ?? status.dataset_id), "primary"),
    ]);
  return words("graph.none.found", {}, [action("documents.add", add, "primary")]);
}

/** What went wrong, and a way to try again. */
export function failure(code, again) {
  return [
    h("p", { class: "failure", role: "alert" }, icon("alert"), why(code)),
    h("div", { class: "graph-actions" }, action("action.retry", again, "primary")),
  ];
}

function why(code) {
  return code === "store_unavailable" ? h("span", { t: "graph.unreachable" }) : errorText(code);
}

function building({ stage, progress }) {
  return h(
    "p",
    { class: "building" },
    h("span", { class: "pulse" }),
    h("span", { t: stage === "graph" ? "graph.building" : "graph.reading" }),
    h("small", {}, percent(progress)),
  );
}

function words(key, args, actions) {
  return [
    h("p", { class: "graph-none" }, icon("graph")),
    h("h3", { t: [`${key}.title`, args] }),
    h("p", { t: [`${key}.body`, args] }),
    h("div", { class: "graph-actions" }, ...actions),
  ];
}

function action(key, onclick, kind = "link") {
  return h("button", { type: "button", class: kind, t: key, onclick });
}

/** Have a data set indexed again, with a graph. */
async function build(dataset) {
  try {
    await request("/knowledge/index", { method: "POST", json: { dataset_id: dataset, index_type: "hybrid" } });
    await library.refresh();
  } catch (error) {
    notifyFailure(error);
  }
}
