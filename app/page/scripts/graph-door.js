/** The way into the graph view and out of it: by button, by address, from an answer's path. Loads it when wanted. */

import { addressOfGraph, isGraph } from "./graph/address.js";
import { byId, h } from "./dom.js";
import { library } from "./library.js";
import { notifyFailure } from "./notices.js";
import { closePanel } from "./panel.js";

let view = null;
let opener = null;
let hooks = { onAddress: () => {}, onLeave: () => {}, onAdd: () => {} };

/** `onAddress` follows the address, `onLeave` goes back to the conversation, `onAdd` opens the file chooser. */
export function setUpGraph(on) {
  hooks = on;
  byId("graph-toggle").addEventListener("click", (event) => {
    opener = event.currentTarget;
    if (graphIsShown()) leaveGraph();
    else go(addressOfGraph());
  });
}

/** Whether the graph stands where the conversation would. */
export function graphIsShown() {
  return !byId("graph").hidden;
}

/** Show the graph, or not, as the address says; true when it is shown. */
export function followGraph() {
  const wanted = isGraph();
  const before = graphIsShown();
  byId("graph").hidden = !wanted;
  document.querySelector("main").hidden = wanted;
  document.body.classList.toggle("graph-open", wanted);
  byId("graph-toggle").setAttribute("aria-expanded", wanted);
  if (wanted) enter(!before).catch(notifyFailure);
  else if (before) put();
  return wanted;
}

/** The view once it has been shown, for who drives the page from outside. */
export function shownGraph() {
  return view;
}

/** Go back to the conversation. */
export function leaveGraph() {
  if (!graphIsShown()) return false;
  hooks.onLeave();
  (opener?.isConnected && opener.checkVisibility() ? opener : byId("message")).focus();
  opener = null;
  return true;
}

/** Esc in the graph view: whether there was something to take back. */
export function escapeGraph() {
  return graphIsShown() && (view?.escape() || leaveGraph());
}

/** Draw the path of an answer; `steps` as in `graph_context.path_steps`. */
export function showPath(steps, from) {
  opener = from;
  const home = library.documents?.find(({ id }) => id === steps[0].document_id);
  go(addressOfGraph({ dataset: home?.dataset_id }), { graphPath: steps });
}

/** Look at another part of the graph. */
function go(address, state = null) {
  history.pushState(state, "", address);
  hooks.onAddress();
}

async function enter(fresh) {
  if (!view) {
    const host = byId("graph");
    host.replaceChildren(h("p", { class: "quiet-note graph-loading", role: "status", t: "graph.loading" }));
    const { GraphView } = await import("./graph/view.js");
    view ??= new GraphView(host, { go, leave: leaveGraph, add: hooks.onAdd });
  }
  if (graphIsShown()) await view.follow(fresh);
}

function put() {
  view?.rest();
  closePanel();
}
