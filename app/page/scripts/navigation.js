/** The column with the conversations: on a wide page it folds away, on a narrow one it comes over the conversation. */

import { byId } from "./dom.js";

const NARROW = matchMedia("(width < 54rem)");

/** Make the button work. */
export function setUpNavigation() {
  byId("nav-toggle").addEventListener("click", toggle);
  byId("scrim").addEventListener("click", leaveNavigation);
  NARROW.addEventListener("change", tell);
  tell();
}

/** Whether it lay over the conversation and has been put away. */
export function leaveNavigation() {
  const over = document.body.classList.contains("nav-open");
  document.body.classList.remove("nav-open");
  tell();
  return over;
}

function toggle() {
  document.body.classList.toggle(NARROW.matches ? "nav-open" : "nav-folded");
  tell();
  if (document.body.classList.contains("nav-open")) byId("new").focus();
}

function tell() {
  const { classList } = document.body;
  byId("nav-toggle").setAttribute(
    "aria-expanded",
    NARROW.matches ? classList.contains("nav-open") : !classList.contains("nav-folded"),
  );
}
