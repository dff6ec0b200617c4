/** The banner that says when the server is away, not ready, or not quite well. */

import { reach } from "./api.js";
import { byId, h, icon } from "./dom.js";
import { announce } from "./notices.js";
import { t } from "./i18n.js";

const CALM_MS = 60_000;
const ANXIOUS_MS = 3_000;
let timer = 0;
let troubled = false;

/** Look now, and again and again while the page is visible; `onBack` hears when trouble is over. */
export function watchHealth(onBack) {
  const look = () => check(onBack, look);
  reach.addEventListener("lost", () => !troubled && look());
  addEventListener("online", look);
  addEventListener("offline", look);
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && look());
  look();
}

async function check(onBack, again) {
  clearTimeout(timer);
  const trouble = await diagnose();
  if (troubled && !trouble) onBack();
  show(trouble);
  troubled = trouble !== null;
  if (document.visibilityState === "visible") timer = setTimeout(again, troubled ? ANXIOUS_MS : CALM_MS);
}

/** What is wrong, as a string's key and arguments; null when nothing is. */
async function diagnose() {
  if (!navigator.onLine && !["localhost", "127.0.0.1", "[::1]"].includes(location.hostname)) return ["health.offline"];
  const response = await fetch("/health/ready").catch(() => null);
  if (response === null) return ["health.unreachable"];
  if (!response.ok) return ["health.starting"];
  const parts = ailing(await response.json().catch(() => ({})));
  return parts.length > 0 ? ["health.degraded", { parts: parts.join(", ") }] : null;
}

/** The names of the parts that are not `ok`. */
function ailing({ parts = {} }) {
  const bad = Object.entries(parts).filter(([, part]) => (part.status ?? part) !== "ok");
  return bad.map(([name]) => name.replaceAll("_", " "));
}

function show(trouble) {
  const banner = byId("banner");
  banner.hidden = trouble === null;
  if (trouble === null) {
    if (troubled) announce(t("health.back"));
    return;
  }
  const words = h("span", { t: trouble });
  if (banner.textContent !== words.textContent) banner.replaceChildren(icon("alert"), words);
}
