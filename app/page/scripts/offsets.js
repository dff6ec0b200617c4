/**
 * The server counts characters as Unicode code points, a browser's strings count UTF-16 units: an emoji is one there
 * and two here.
 */

const ASTRAL = /[\ud800-\udbff][\udc00-\udfff]/;

/** Where the code points `positions` (ascending) stand in `text`, in UTF-16 units; past the end means the end. */
export function utf16Offsets(text, positions) {
  if (!ASTRAL.test(text)) return positions.map((position) => Math.min(position, text.length));
  const found = [];
  let unit = 0;
  let point = 0;
  for (const position of positions) {
    while (point < position && unit < text.length) {
      unit += text.codePointAt(unit) > 0xffff ? 2 : 1;
      point += 1;
    }
    found.push(unit);
  }
  return found;
}
