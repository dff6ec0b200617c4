/** Theme and language, and the two buttons that change them. */

import { byId, icon } from "./dom.js";
import { language, say, setLanguage } from "./i18n.js";
import { prefer, preference } from "./preferences.js";

const THEMES = ["auto", "light", "dark"];
const ICONS = { auto: "system", light: "sun", dark: "moon" };

/** Make the buttons work and show what holds now. */
export function setUpAppearance() {
  showTheme(preference("theme", "auto"));
  byId("theme").addEventListener("click", () => {
    const next = THEMES[(THEMES.indexOf(preference("theme", "auto")) + 1) % THEMES.length];
    prefer("theme", next);
    showTheme(next);
  });
  byId("language").addEventListener("click", () => setLanguage(language() === "en" ? "zh" : "en"));
}

function showTheme(theme) {
  const button = byId("theme");
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  say(button, "tip", "action.theme", { now: theme });
  button.replaceChildren(icon(ICONS[theme]));
}
