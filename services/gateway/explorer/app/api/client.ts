/**
 * Asks the public HTTP API with the session's cookie. Every refusal is thrown as a [`Problem`]; one for want of a session
 * is told to whoever listens, too, so that the reader can sign in again where they are.
 */

import { Problem, isAborted, problemOf, unreachable } from "./problem";

/** Of which moment an answer is. */
export interface Freshness {
  /** Streams and sequences: `FLOWTRAIL_AUDIT:42, ...`; null where the answer does not say. */
  readonly asOf: string | null;
  /** How far the answer is behind the log. */
  readonly lagMs: number | null;
  /** The log cannot be asked: how far behind is not known. */
  readonly isStale: boolean;
}

export interface Answer<T> {
  readonly value: T;
  readonly freshness: Freshness;
}

export type Parameters = Readonly<Record<string, string | number | undefined>>;

export interface Request {
  readonly method?: "GET" | "POST" | "PUT" | "DELETE";
  readonly query?: Parameters;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** Told when a request is refused because nobody is signed in any more. */
const signedOut = new EventTarget();

export function onSignedOut(listener: () => void): () => void {
  signedOut.addEventListener("signed-out", listener);
  return () => signedOut.removeEventListener("signed-out", listener);
}

/** The URL of an endpoint with parameters; those that are undefined or empty are left out. */
export function endpoint(path: string, query: Parameters = {}): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== "") {
      parameters.set(name, String(value));
    }
  }
  const text = parameters.toString();
  return text === "" ? path : `${path}?${text}`;
}

/** Sends a request; throws a [`Problem`] unless it succeeds. */
export async function send(path: string, request: Request = {}): Promise<Response> {
  const { method = "GET", query, body, signal } = request;
  const headers = new Headers(request.headers);
  if (method !== "GET") {
    // What a page of another origin cannot send: the service takes no write with a cookie alone.
    headers.set("Flowtrail-Csrf", "1");
  }
  if (body !== undefined) {
    headers.set("Content-Type", "application/json");
  }
  const response = await fetch(endpoint(path, query), {
    method,
    headers,
    credentials: "same-origin",
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal }),
  }).catch((reason: unknown) => {
    throw isAborted(reason) ? reason : unreachable();
  });
  if (!response.ok) {
    const problem = await problemOf(response);
    if (problem.status === 401) {
      signedOut.dispatchEvent(new Event("signed-out"));
    }
    throw problem;
  }
  return response;
}

/** Asks for JSON, and says of which moment the answer is. */
export async function ask<T>(path: string, request: Request = {}): Promise<Answer<T>> {
  const response = await send(path, request);
  const lag = response.headers.get("Flowtrail-Lag-Ms");
  const freshness = {
    asOf: response.headers.get("Flowtrail-As-Of"),
    lagMs: lag === null ? null : Number(lag),
    isStale: response.headers.get("Flowtrail-Stale") === "true",
  };
  const text = await response.text();
  try {
    // What a type says of an answer is what the service's own description of it says.
    return { value: (text === "" ? null : JSON.parse(text)) as T, freshness };
  } catch {
    throw new Problem(response.status, "Not understood", `${path} was not answered in JSON`);
  }
}
