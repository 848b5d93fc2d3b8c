// Talking to the service: one request, its token, and what went wrong in words.

import { askForToken, kept } from "./token.js";

const PATIENCE_MS = 30000;

/** What the service, or the way to it, said no with. `rows` are the service's own words for each field. */
export class Refusal extends Error {
  constructor(status, message, fix = "", rows = []) {
    super(message);
    Object.assign(this, { status, fix, rows });
  }
}

/** The answer to GET (no body) or POST; a token is asked for when the service wants one. A `trial` does not count. */
export async function ask(path, body, trial = false) {
  const kind = path === "feedback" || path === "label/cases" ? "feedback" : "predict";
  for (;;) {
    const token = kept(kind);
    const response = await send(path, body, token, trial);
    if (response.ok) return await read(response);
    const said = await read(response).catch(() => ({}));
    if (response.status !== 401 && response.status !== 403) throw refused(response, said);
    if (!(await askForToken(kind, token !== null))) {
      throw new Refusal(response.status, "The service answers only with its access token.", "Send again to enter it.");
    }
  }
}

async function send(path, body, token, trial) {
  const headers = { Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (trial) headers["X-Noria-Test"] = "1";
  if (token !== null) headers.Authorization = `Bearer ${token}`;
  const options = { headers, cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) };
  if (body !== undefined) Object.assign(options, { method: "POST", body: JSON.stringify(body) });
  try {
    return await fetch(path, options);
  } catch (error) {
    throw unreachable(error);
  }
}

async function read(response) {
  try {
    return await response.json();
  } catch (error) {
    if (error instanceof SyntaxError)
      throw new Refusal(0, "Something else than the service answers.", "Tell those who run it.");
    throw unreachable(error);
  }
}

function unreachable(error) {
  if (error.name === "TimeoutError") return new Refusal(0, "The service takes too long to answer.", "Try again.");
  return new Refusal(
    0,
    "The service cannot be reached.",
    "Check your connection and try again. What you entered is still here.",
  );
}

function refused(response, said) {
  const wait = Number(response.headers.get("Retry-After"));
  const when =
    wait > 0 ? `Try again in ${wait === 1 ? "a second" : `${Math.ceil(wait)} seconds`}.` : "Try again in a moment.";
  const rows = Array.isArray(said.rows) ? said.rows.map((row) => String(row.problem)) : [];
  const message = sentence(said.error);
  switch (response.status) {
    case 422:
      return new Refusal(422, message || "Something you entered cannot be used.", sentence(said.fix), rows);
    case 429:
      return new Refusal(429, "Too many requests at once.", when);
    case 503:
      return new Refusal(503, message || "The service cannot answer at the moment.", when);
    default:
      if (response.status >= 500)
        return new Refusal(
          response.status,
          "The service failed to answer.",
          "Try again; if it goes on, tell those who run it.",
        );
      return new Refusal(response.status, message || "The service refused this.", sentence(said.fix));
  }
}

function sentence(text) {
  if (typeof text !== "string" || text === "") return "";
  return text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");
}
