/** The panel at the side: one view at a time, focus goes in with it and comes back out. */

import { byId } from "./dom.js";
import { translate } from "./i18n.js";

let opener = null;

/** Show `view` under a heading; `from` is what has the focus again when the panel closes. */
export function openPanel(view, from) {
  const panel = byId("panel");
  if (panel.hidden) opener = from;
  panel.hidden = false;
  document.body.classList.add("panel-open");
  if (panel.firstElementChild !== view) panel.replaceChildren(view);
  translate(view); // the language may have changed while it was put away
  view.querySelector("h2").focus({ preventScroll: true });
}

/** Whether there was an open panel to close. */
export function closePanel() {
  const panel = byId("panel");
  if (panel.hidden) return false;
  panel.hidden = true;
  document.body.classList.remove("panel-open");
  (opener?.isConnected ? opener : byId("message")).focus();
  return true;
}

/** Whether `view` is what the panel shows. */
export function showsPanel(view) {
  const panel = byId("panel");
  return !panel.hidden && panel.firstElementChild === view;
}
