/** Why a request has no answer, in the words of the service (RFC 9457), or of the browser where there was none. */

export class Problem extends Error {
  /** The HTTP status; 0 where nobody answered. */
  readonly status: number;
  readonly title: string;
  /** Seconds after which asking again makes sense, where the service says so. */
  readonly retryAfter: number | null;

  constructor(status: number, title: string, detail: string, retryAfter: number | null = null) {
    super(detail);
    this.name = "Problem";
    this.status = status;
    this.title = title;
    this.retryAfter = retryAfter;
  }

  /** What the member at fault is called, and what is wrong with it: `q: column 1: ...`. */
  get member(): { name: string; reason: string } | null {
    const match = /^([a-z_]+): (.*)$/s.exec(this.message);
    return match === null ? null : { name: match[1] ?? "", reason: match[2] ?? "" };
  }
}

/** The problem that a refused answer describes. */
export async function problemOf(response: Response): Promise<Problem> {
  const seconds = Number(response.headers.get("Retry-After") ?? Number.NaN);
  const retryAfter = Number.isFinite(seconds) ? seconds : null;
  const body: unknown = await response.json().catch(() => null);
  const title = textMember(body, "title") ?? response.statusText;
  // Endpoints with a dialect of their own say it under another name.
  const detail = textMember(body, "detail") ?? textMember(body, "message") ?? `the answer was ${response.status} ${title}`;
  return new Problem(response.status, title, detail, retryAfter);
}

function textMember(body: unknown, name: string): string | null {
  if (typeof body !== "object" || body === null) {
    return null;
  }
  const value = (body as Record<string, unknown>)[name];
  return typeof value === "string" ? value : null;
}

export const unreachable = (): Problem =>
  new Problem(0, "No answer", "Flowtrail does not answer. Is it running, and is the network there?");

/** Any thrown thing as a problem that can be shown. */
export function asProblem(thrown: unknown): Problem {
  if (thrown instanceof Problem) {
    return thrown;
  }
  return new Problem(0, "Something went wrong", thrown instanceof Error ? thrown.message : String(thrown));
}

/** Whether this is nothing but a request that the page itself gave up. */
export function isAborted(thrown: unknown): boolean {
  return thrown instanceof DOMException && thrown.name === "AbortError";
}
