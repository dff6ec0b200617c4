/** The HTTP API: one place that adds the token, and turns every refusal into an ApiError with a code. */

import { authorization, renewToken } from "./token.js";

const ROOT = "/api/v1";

/** A refusal or a failure on the way; `code` is the API's, or `offline` when the server could not be reached. */
export class ApiError extends Error {
  constructor(code, status = 0, retryable = false) {
    super(code);
    this.name = "ApiError";
    this.code = code;
    this.status = status;
    this.retryable = retryable;
  }
}

/** Tells `lost` when a request found no server. */
export const reach = new EventTarget();

/** A request to the API; asks for a token on 401 and tries again with it. Throws ApiError, or AbortError. */
export async function request(path, { json, headers, ...options } = {}) {
  const response = await attempt(path, json, headers, options);
  if (response.ok) return response;
  if (response.status === 401 && (await renewToken())) return request(path, { json, headers, ...options });
  throw refusal(response.status, await response.json().catch(() => ({})));
}

/** The JSON a GET gives. */
export async function read(path) {
  return (await request(path)).json();
}

/** All pages of a list up to `most` items. */
export async function readAll(path, most = 1000) {
  const items = [];
  let cursor = null;
  do {
    const page = await read(`${path}?limit=100${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`);
    items.push(...(page.items ?? page));
    cursor = page.next_cursor ?? null;
  } while (cursor && items.length < most);
  return items;
}

async function attempt(path, json, headers, options) {
  const body = json === undefined ? {} : { body: JSON.stringify(json) };
  const type = json === undefined ? {} : { "Content-Type": "application/json" };
  try {
    return await fetch(ROOT + path, { ...options, ...body, headers: { ...type, ...headers, ...authorization() } });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    reach.dispatchEvent(new Event("lost"));
    throw new ApiError("offline", 0, true);
  }
}

function refusal(status, problem) {
  const code = problem.code ?? (status === 429 ? "rate_limited" : status >= 500 ? "internal" : "unknown");
  return new ApiError(code, status, status === 408 || status === 409 || status === 429 || status >= 500);
}

/**
 * Upload one file to a data set; gives the accepted document. fetch cannot tell how far an upload is, so this is an
 * XMLHttpRequest. `onProgress` hears fractions of 1.
 */
export async function upload(file, datasetId, onProgress) {
  const form = new FormData();
  form.append("dataset_id", datasetId);
  form.append("file", file, file.name);
  const { status, problem, accepted } = await send(form, onProgress);
  if (accepted) return accepted.documents[0];
  if (status === 401 && (await renewToken())) return upload(file, datasetId, onProgress);
  throw refusal(status, problem);
}

function send(form, onProgress) {
  return new Promise((resolve, reject) => {
    const sending = new XMLHttpRequest();
    sending.open("POST", `${ROOT}/knowledge/upload`);
    sending.responseType = "json";
    for (const [name, value] of Object.entries(authorization())) sending.setRequestHeader(name, value);
    sending.upload.onprogress = (event) => event.lengthComputable && onProgress(event.loaded / event.total);
    sending.onload = () => {
      const { status, response } = sending;
      resolve(status < 300 ? { accepted: response } : { status, problem: response ?? {} });
    };
    sending.onerror = () => {
      reach.dispatchEvent(new Event("lost"));
      reject(new ApiError("offline", 0, true));
    };
    sending.send(form);
  });
}
