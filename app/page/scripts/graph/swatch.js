/** A small picture of a kind of entity, as it is drawn. */

import { typeClass } from "../relations.js";
import { outline } from "./shapes.js";

const SVG = "http://www.w3.org/2000/svg";

/** The shape of a kind in its colour, or in that of another class. */
export function swatch(type, colour = typeClass(type)) {
  const svg = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", `swatch ${colour}`);
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", outline(type));
  path.setAttribute("fill-rule", "evenodd");
  svg.append(path);
  return svg;
}
