// usage: node cloudevents_sdk.mjs NATS_URL API_URL TOKEN
//
// Publishes events as the JavaScript SDK of CloudEvents makes them: in every mode, over NATS and over HTTP. Prints the version
// of the SDK, then for each event a line with what it must be read back as.

import { readFileSync } from "node:fs";
import { jetstream } from "@nats-io/jetstream";
import { connect, headers as natsHeaders } from "@nats-io/transport-node";
import { CloudEvent, HTTP } from "cloudevents";

const [natsUrl, api, token] = process.argv.slice(2);
const version = JSON.parse(readFileSync("node_modules/cloudevents/package.json", "utf8")).version;
const time = "2024-01-31T12:00:00.123Z";
const data = { amount: 12.5, count: 42, names: ["Zoë", "😀"], none: null, empty: {}, list: [] };

function event(id, base64 = false) {
  const attributes = { id, source: "/shop", type: "com.example.order.paid", subject: "order 7", time };
  if (!base64) return new CloudEvent({ ...attributes, data });
  const own = JSON.stringify({ event_type: "order.paid", resource_id: "order 7", event_payload: data });
  // Bytes become `data_base64`.
  return new CloudEvent({ ...attributes, type: "flowtrail.audit.recorded.v1", data: new Uint8Array(Buffer.from(own)) });
}

function batch(...events) {
  const bodies = events.map((each) => HTTP.structured(each).body);
  return { headers: { "content-type": "application/cloudevents-batch+json" }, body: `[${bodies.join(",")}]` };
}

function* messages(transport) {
  const id = (mode) => `javascript-${transport}-${mode}`;
  yield { mode: "structured", ids: [id("structured")], ...HTTP.structured(event(id("structured"))) };
  yield { mode: "binary", ids: [id("binary")], ...HTTP.binary(event(id("binary"))) };
  const ids = [id("batch-1"), id("batch-2")];
  yield { mode: "batch", ids, ...batch(...ids.map((each) => event(each))) };
  yield { mode: "data_base64", ids: [id("base64")], ...HTTP.structured(event(id("base64"), true)) };
}

function tell(mode, transport, ids) {
  const kind = mode === "data_base64" ? "order.paid" : "com.example.order.paid";
  for (const id of ids) {
    const expected = {
      id, created_at: "2024-01-31T12:00:00.123000Z", source: "/shop", event_type: kind, resource_id: "order 7", event_payload: data,
    };
    console.log(JSON.stringify({ mode, transport, expected }));
  }
}

console.log(JSON.stringify({ sdk: "JavaScript `cloudevents`", version }));
const server = new URL(natsUrl);
const client = await connect({ servers: server.host, user: server.username || undefined, pass: server.password || undefined });
for (const { mode, ids, headers, body } of messages("NATS")) {
  const fields = natsHeaders();
  for (const [name, value] of Object.entries(headers)) fields.set(name, String(value));
  await jetstream(client).publish("flowtrail.v1.audit.main.shop", body, { headers: fields });
  tell(mode, "NATS", ids);
}
await client.close();
for (const { mode, ids, headers, body } of messages("HTTP")) {
  const answer = await fetch(`${api}/api/events/audit`, {
    method: "POST", headers: { ...headers, Authorization: `Token ${token}` }, body,
  });
  if (answer.status !== 202) throw new Error(`${mode}: ${answer.status} ${await answer.text()}`);
  tell(mode, "HTTP", ids);
}
