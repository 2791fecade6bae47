// The public HTTP API, asked as programs do.

import { check } from "./waiting.mjs";

const FAMILIES = {
  audit: { path: "/api/events/audit", stream: "FLOWTRAIL_AUDIT" },
  traffic: { path: "/api/events/network-traffic", stream: "FLOWTRAIL_TRAFFIC" },
};

export class Api {
  constructor(url, token) {
    this.url = url;
    this.token = token;
  }

  /** The body of an answer that must be a success, as text. */
  async text(path, { method = "GET", body, headers = {} } = {}) {
    const answer = await fetch(new URL(path, this.url), {
      method,
      headers: { Authorization: `Token ${this.token}`, ...headers },
      body: body === undefined ? null : JSON.stringify(body),
    });
    const text = await answer.text();
    check(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
    return text;
  }

  async json(path, asked) {
    return JSON.parse(await this.text(path, asked));
  }

  /** Publishes events of one family, and waits until they are to be seen. */
  async publish(family, events) {
    const { path, stream } = FAMILIES[family];
    const { last } = await this.json(path, { method: "POST", body: events });
    await this.text(`/flowtrail/v1/${family}?limit=1`, { headers: { "Flowtrail-At-Least": `${stream}:${last}` } });
  }

  async total(family, q) {
    const query = new URLSearchParams({ q, limit: "1" });
    return (await this.json(`/flowtrail/v1/${family}?${query}`)).total;
  }
}
