/**
 * Elements, built without HTML strings: nothing here parses markup.
 *
 * `h("button", {class: "quiet", label: "action.stop", onclick: stop}, icon("stop"))`. The properties `t` (the text),
 * `label` (for screen readers), `tip` (for them and for the pointer) and `description` take a key of strings.js, or
 * `[key, args]`, and follow the language.
 */

import { say } from "./i18n.js";

const SPOKEN = { t: "text", label: "label", tip: "tip", description: "description" };
const SVG = "http://www.w3.org/2000/svg";

/** An element with attributes, listeners (`onclick`) and children; false, null and undefined are left out. */
export function h(tag, properties = {}, ...children) {
  return furnished(document.createElement(tag), properties, children);
}

/** The same for an element of a drawing. */
export function svg(tag, properties = {}, ...children) {
  return furnished(document.createElementNS(SVG, tag), properties, children);
}

function furnished(element, properties, children) {
  for (const [name, value] of Object.entries(properties)) assign(element, name, value);
  element.append(...children.flat().filter((child) => child || child === 0));
  return element;
}

function assign(element, name, value) {
  if (value === undefined || value === null || value === false) return;
  if (name in SPOKEN) {
    const [key, args] = Array.isArray(value) ? value : [value];
    say(element, SPOKEN[name], key, args);
  } else if (name.startsWith("on")) {
    element.addEventListener(name.slice(2), value);
  } else {
    element.setAttribute(name, value === true ? "" : value);
  }
}

/** A symbol of icons.svg; decoration only, so a control needs its own label. */
export function icon(name) {
  return svg("svg", { class: "icon", "aria-hidden": "true" }, svg("use", { href: `/page/icons.svg#${name}` }));
}

/** A button with an icon and no text: `tip` is its name and its tooltip. */
export function iconButton(name, tip, onclick, properties = {}) {
  return h("button", { type: "button", class: "icon-button", tip, onclick, ...properties }, icon(name));
}

/** The element with this id, which index.html has. */
export function byId(id) {
  return document.getElementById(id);
}
