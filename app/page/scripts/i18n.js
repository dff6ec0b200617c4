/** The page's language: looks strings up, puts them on elements, and puts them again when the language changes. */

import { preference, prefer } from "./preferences.js";
import { strings } from "./strings.js";

/** Tells `change` when the language has changed and every bound element has its new text. */
export const languageChanges = new EventTarget();

const BOUND = "[data-t-text],[data-t-label],[data-t-tip],[data-t-placeholder],[data-t-description],time";
const LOCALES = { en: "en", zh: "zh-CN" };
let current = preference("language", navigator.language).startsWith("zh") ? "zh" : "en";

/** `en` or `zh`. */
export function language() {
  return current;
}

/** Switch the page to `en` or `zh` and remember it. */
export function setLanguage(wanted) {
  current = wanted;
  prefer("language", wanted);
  document.documentElement.lang = LOCALES[wanted];
  translate(document);
  languageChanges.dispatchEvent(new Event("change"));
}

/** The string of `key`; one that does not exist reads as the last part of its key (`node.new_step` → `new step`). */
export function t(key, args = {}) {
  const found = strings[current][key];
  if (found === undefined) return key.slice(key.indexOf(".") + 1).replaceAll("_", " ");
  return typeof found === "function" ? found(args) : found;
}

/** Whether there is a string for `key`. */
export function knows(key) {
  return key in strings.en;
}

/** Put a string on an element as its `text`, `label`, `tip`, `placeholder` or `description`, now and ever after. */
export function say(element, place, key, args) {
  element.dataset[`t${place[0].toUpperCase()}${place.slice(1)}`] = key;
  if (args) element.dataset.tArgs = JSON.stringify(args);
  apply(element);
}

/** Put every bound string under `root` again. */
export function translate(root) {
  for (const element of root.querySelectorAll(BOUND)) apply(element);
}

function apply(element) {
  const { tText, tLabel, tTip, tPlaceholder, tDescription, tArgs } = element.dataset;
  const args = tArgs ? JSON.parse(tArgs) : {};
  if (tText) element.textContent = t(tText, args);
  if (tLabel ?? tTip) element.setAttribute("aria-label", t(tLabel ?? tTip, args));
  if (tTip) element.title = t(tTip, args);
  if (tPlaceholder) element.placeholder = t(tPlaceholder, args);
  if (tDescription) element.setAttribute("aria-description", t(tDescription, args));
  if (element.dateTime) element.textContent = day(element.dateTime);
}

/** A moment as people say it: the time today, else the date. */
export function day(moment) {
  const date = new Date(moment);
  const today = new Date().toDateString() === date.toDateString();
  const form = today ? { hour: "2-digit", minute: "2-digit" } : { month: "short", day: "numeric" };
  return new Intl.DateTimeFormat(LOCALES[current], form).format(date);
}

/** Milliseconds as people read them: `8.1 ms`, `240 ms`, `1.4 s`. */
export function duration(milliseconds) {
  if (milliseconds < 0.05) return "< 0.1 ms";
  if (milliseconds < 1000) return `${milliseconds < 10 ? milliseconds.toFixed(1) : Math.round(milliseconds)} ms`;
  return `${(milliseconds / 1000).toFixed(1)} s`;
}

/** Bytes as people read them: `12 KB`, `3.4 MB`. */
export function fileSize(bytes) {
  if (bytes < 1e6) return `${Math.max(1, Math.round(bytes / 1e3))} KB`;
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

/** A fraction of 1 as a percentage. */
export function percent(fraction) {
  return `${Math.round(fraction * 100)} %`;
}

/** A number with its sign, to so many digits: `+0.25`, `0`, `−1`. */
export function signed(value, digits = 2) {
  const form = { signDisplay: "exceptZero", minimumFractionDigits: digits, maximumFractionDigits: digits };
  return new Intl.NumberFormat(LOCALES[current], form).format(value);
}
