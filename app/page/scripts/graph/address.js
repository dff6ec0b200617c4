/** The address of the graph view: `#/graph`, with what is looked for; a path from an answer travels in the history. */

const ROOT = "#/graph";

/** Whether the address asks for the graph. */
export function isGraph(hash = location.hash) {
  return hash === ROOT || hash === "#graph" || hash.startsWith(`${ROOT}?`);
}

/** What the address asks for: `{dataset, q, hops, steps}`; `steps` is a path of an answer, or null. */
export function asked() {
  const parameters = new URLSearchParams(location.hash.slice(location.hash.indexOf("?") + 1));
  const hops = Number(parameters.get("hops"));
  return {
    dataset: parameters.get("dataset"),
    q: parameters.get("q") ?? "",
    hops: hops >= 1 && hops <= 3 ? hops : 1,
    steps: history.state?.graphPath ?? null,
  };
}

/** The address for `{dataset, q, hops}`. */
export function addressOfGraph({ dataset = null, q = "", hops = 1 } = {}) {
  const parameters = new URLSearchParams();
  if (dataset && dataset !== "default") parameters.set("dataset", dataset);
  if (q) parameters.set("q", q);
  if (q && hops !== 1) parameters.set("hops", hops);
  return parameters.size ? `${ROOT}?${parameters}` : ROOT;
}
