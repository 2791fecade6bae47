/**
 * Reads server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html) out of a stream of text, as our
 * own service writes them. `EventSource` sends no position with its first request and does not say why it was refused, and
 * parsers from elsewhere pass over blocks that have an `id` alone, which is how a quiet tail tells how far it is.
 */

export interface Message {
  /** Where to go on from, the last one that was sent; null before the first. */
  readonly id: string | null;
  readonly event: string;
  /** Null: nothing but a new `id`. */
  readonly data: string | null;
}

export class Parser {
  #rest = "";
  #id: string | null = null;

  /** The messages that are whole with this piece of the stream. */
  push(piece: string): Message[] {
    this.#rest += piece;
    const blocks = this.#rest.split("\n\n");
    this.#rest = blocks.pop() ?? "";
    return blocks.map((block) => this.#message(block));
  }

  #message(block: string): Message {
    let event = "message";
    const data: string[] = [];
    for (const line of block.split("\n")) {
      const colon = line.indexOf(":");
      const name = colon === -1 ? line : line.slice(0, colon);
      const value = colon === -1 ? "" : line.slice(colon + 1).replace(/^ /, "");
      if (name === "event") {
        event = value;
      } else if (name === "data") {
        data.push(value);
      } else if (name === "id") {
        this.#id = value;
      }
    }
    return { id: this.#id, event, data: data.length === 0 ? null : data.join("\n") };
  }
}
