/** Runs before the first paint, so that a chosen theme or language does not flash the other one. */
(() => {
  let stored = {};
  try {
    stored = { theme: localStorage.getItem("zhiyin.theme"), language: localStorage.getItem("zhiyin.language") };
  } catch {
    // Storage is blocked: the system's own theme and language hold.
  }
  const root = document.documentElement;
  if (stored.theme === "light" || stored.theme === "dark") root.dataset.theme = stored.theme;
  root.lang = (stored.language ?? navigator.language).startsWith("zh") ? "zh-CN" : "en";
})();
