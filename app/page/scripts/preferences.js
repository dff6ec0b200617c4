/** What the reader chose, kept in this browser; where storage is blocked, kept until the page closes. */

const unsaved = new Map();

/** The kept value, or `fallback`. */
export function preference(name, fallback) {
  try {
    return localStorage.getItem(`zhiyin.${name}`) ?? unsaved.get(name) ?? fallback;
  } catch {
    return unsaved.get(name) ?? fallback;
  }
}

/** Keep `value` (a string). */
export function prefer(name, value) {
  unsaved.set(name, value);
  try {
    localStorage.setItem(`zhiyin.${name}`, value);
  } catch {
    // Private windows may refuse; the choice then lasts as long as the page.
  }
}
