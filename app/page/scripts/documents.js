/** The list of documents in the side panel: read, delete, see what became of each. */

import { h, icon, iconButton } from "./dom.js";
import { confirmAction } from "./dialogs.js";
import { addressOfGraph } from "./graph/address.js";
import { errorText } from "./errors.js";
import { day, fileSize, percent } from "./i18n.js";
import { library } from "./library.js";
import { closePanel, openPanel, showsPanel } from "./panel.js";
import { openDocument } from "./reader.js";
import { notifyFailure } from "./notices.js";
import { stageKey } from "./uploads.js";

const title = h("h2", { tabindex: "-1", t: "documents.label" });
const add = h("button", { type: "button", class: "primary small" }, icon("plus"), h("span", { t: "documents.add" }));
const list = h("ul", { class: "documents" });
const view = h(
  "div",
  { class: "panel-view" },
  h(
    "header",
    {},
    title,
    add,
    iconButton("close", "action.close", () => closePanel()),
  ),
  list,
);

/** Set the panel up; `choose` opens the file chooser. */
export function setUpDocuments(choose) {
  add.addEventListener("click", choose);
  library.addEventListener("change", draw);
}

/** Show the list, or put it away when it is what is shown. */
export function toggleDocuments(from) {
  if (showsPanel(view)) closePanel();
  else showDocuments(from);
}

/** Show the list. */
export function showDocuments(from) {
  draw();
  openPanel(view, from);
  library.refresh().catch(notifyFailure);
}

function draw() {
  const documents = library.documents ?? [];
  const focused = document.activeElement?.dataset.focus;
  if (documents.length === 0) list.replaceChildren(h("li", { class: "quiet-note", t: "documents.none" }));
  else list.replaceChildren(...inGroups(documents));
  if (focused) list.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
}

function inGroups(documents) {
  const groups = Map.groupBy(documents, (item) => item.dataset_id);
  return [...groups].flatMap(([id, members]) => {
    const heading = groups.size > 1 && h("li", { class: "group", t: ["documents.dataset", { id }] });
    return [heading, graphOf(id), ...members.map(entry)].filter(Boolean);
  });
}

/** What the data set's graph holds, or how far it is; the way to see it. */
function graphOf(id) {
  const status = library.statusOf(id);
  const { entities = 0, relations = 0 } = status?.counts ?? {};
  const behind = status?.notices?.includes("graph_behind");
  const words =
    status?.stage === "graph"
      ? ["stage.graph"]
      : behind
        ? ["graph.behind.short"]
        : entities > 0 && ["graph.counts", { entities, relations }];
  if (!words) return null;
  const open = h(
    "a",
    { class: "graph-count", href: addressOfGraph({ dataset: id }), "data-focus": `graph ${id}` },
    icon("graph"),
    h("span", { t: words }),
    h("span", { class: "graph-see", t: "graph.see" }),
  );
  return h("li", { class: status?.stage === "graph" ? "growing" : undefined }, open);
}

function entry(item) {
  const { id, name, status } = item;
  const open = h(
    "button",
    { type: "button", class: "document", "data-focus": `open ${id}`, onclick: () => openDocument(id, name, open) },
    icon("document"),
    h("span", { class: "document-name" }, name),
    h("span", { class: `document-state ${status}` }, ...stateOf(item)),
  );
  open.disabled = status !== "ready";
  const tip = ["documents.delete", { name }];
  return h(
    "li",
    {},
    open,
    iconButton("trash", tip, () => remove(item), { "data-focus": `delete ${id}` }),
  );
}

function stateOf({ status, stage, progress, error, size_bytes: size, created_at: added }) {
  if (status === "failed") return [errorText(error.code)];
  if (status !== "ready") return [h("span", { t: [stageKey(stage), { percent: percent(progress) }] })];
  return [fileSize(size), " · ", h("time", { datetime: added }, day(added))];
}

async function remove({ id, name }) {
  if (!(await confirmAction("documents.delete.title", ["documents.delete.body", { name }], "action.delete"))) return;
  await library.remove(id).catch(notifyFailure);
  title.focus();
}
