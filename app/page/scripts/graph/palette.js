/** The page's colours as the canvas needs them: resolved for the theme of the moment. */

import { h } from "../dom.js";
import { ENTITY_TYPES } from "../relations.js";

const NAMES = ["paper", "surface", "line", "ink", "ink-soft", "ink-faint", "accent", "accent-soft"];

/** The kinds whose colours tell communities apart, in the order of the communities' sizes. */
export const COMMUNITY_COLOURS = [
  "person",
  "product",
  "location",
  "event",
  "process",
  "organization",
  "concept",
  "work",
];

/** Colours by name; `types` by kind, "" being the unknown one; `font` is the page's. */
export function paletteOf(element) {
  const probe = h("span", { hidden: true });
  element.append(probe);
  const resolved = (name) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const palette = Object.fromEntries(NAMES.map((name) => [name, resolved(name)]));
  palette.types = Object.fromEntries(ENTITY_TYPES.map((type) => [type, resolved(`type-${type}`)]));
  palette.types[""] = resolved("type-other");
  palette.communities = COMMUNITY_COLOURS.map((type) => palette.types[type]);
  palette.font = getComputedStyle(probe).fontFamily;
  probe.remove();
  return palette;
}

/** `onChange` hears when the theme has changed. */
export function watchTheme(onChange) {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", onChange);
  const root = document.documentElement;
  new MutationObserver(onChange).observe(root, { attributes: true, attributeFilter: ["data-theme"] });
}
