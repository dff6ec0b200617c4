/** The access token, for servers that want one: kept until the tab closes. */

import { askForToken } from "./dialogs.js";

const KEY = "zhiyin.token";
let held = read();
let asking = null;

function read() {
  try {
    return sessionStorage.getItem(KEY);
  } catch {
    return null;
  }
}

/** The header that says who asks; empty without a token. */
export function authorization() {
  return held ? { Authorization: `Bearer ${held}` } : {};
}

/** Ask the reader for a token, once for all requests that wait for it; false when they decline. */
export async function renewToken() {
  asking ??= askForToken().finally(() => (asking = null));
  const given = await asking;
  if (!given) return false;
  held = given;
  try {
    sessionStorage.setItem(KEY, given);
  } catch {
    // Without storage the token lasts as long as the page.
  }
  return true;
}
