/**
 * Follows a tail: events as they arrive, over connections that are lost and made again. Each connection goes on behind
 * the last position that was told, so that nothing is missing and nothing comes twice.
 */

import { type Parameters, send } from "./client";
import { type Problem, asProblem, isAborted } from "./problem";
import { type Message, Parser } from "./sse";

export interface Listener {
  /** A connection is there. */
  readonly onOpen: () => void;
  /** An event, as JSON, and the position behind it. */
  readonly onEvent: (data: string, position: string | null) => void;
  /** So many events were not told, because this reader is too slow. */
  readonly onOverflow: (lost: number) => void;
  /** The connection is lost; the next try is in so many milliseconds. */
  readonly onLost: (problem: Problem, retryInMs: number) => void;
  /** It is refused, or over for good. */
  readonly onEnd: (problem: Problem) => void;
}

export interface Tail {
  readonly path: string;
  readonly query: Parameters;
  /** Where to begin: behind this position; undefined: now. */
  readonly position: string | undefined;
  readonly signal: AbortSignal;
}

const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 30_000;
/** The service sends something at least every 10 seconds. Three times that without a word: the connection is dead. */
const SILENCE_MS = 30_000;

export async function follow({ path, query, position, signal }: Tail, listener: Listener): Promise<void> {
  let last = position;
  let retryInMs = FIRST_RETRY_MS;
  while (!signal.aborted) {
    try {
      const headers: Record<string, string> = last === undefined ? {} : { "Last-Event-ID": last };
      const silence = new AbortController();
      const response = await send(path, { query, headers, signal: AbortSignal.any([signal, silence.signal]) });
      listener.onOpen();
      retryInMs = FIRST_RETRY_MS;
      for await (const message of messages(response, silence)) {
        last = message.id ?? last;
        tell(message, listener);
      }
    } catch (thrown) {
      if (signal.aborted) {
        return;
      }
      const problem = isAborted(thrown) ? asProblem(new Error("nothing was heard for 30 seconds")) : asProblem(thrown);
      // A refusal will be the same again, but for "too many" and "not just now".
      if (problem.status >= 400 && problem.status < 500 && problem.status !== 429) {
        listener.onEnd(problem);
        return;
      }
      retryInMs = Math.max(retryInMs, (problem.retryAfter ?? 0) * 1_000);
      listener.onLost(problem, retryInMs);
      await pause(retryInMs, signal);
      retryInMs = Math.min(retryInMs * 2, LAST_RETRY_MS);
    }
  }
}

function tell(message: Message, listener: Listener): void {
  if (message.data === null) {
    return;
  }
  if (message.event === "message") {
    listener.onEvent(message.data, message.id);
  } else if (message.event === "overflow") {
    const { lost } = JSON.parse(message.data) as { lost: number };
    listener.onOverflow(lost);
  } else if (message.event === "end") {
    const { reason } = JSON.parse(message.data) as { reason: string };
    throw new Error(`the service ended the connection: ${reason}`);
  }
}

/** The messages of one connection, until it is lost. */
async function* messages(response: Response, silence: AbortController): AsyncGenerator<Message> {
  if (response.body === null) {
    return;
  }
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  const parser = new Parser();
  for (;;) {
    const timer = setTimeout(() => silence.abort(), SILENCE_MS);
    const { done, value } = await reader.read().finally(() => clearTimeout(timer));
    if (done) {
      throw new Error("the connection was closed");
    }
    yield* parser.push(value);
  }
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
