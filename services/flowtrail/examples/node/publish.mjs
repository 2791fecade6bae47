import { jetstream } from "@nats-io/jetstream";
import { connect, headers } from "@nats-io/transport-node";

const url = new URL(process.argv[2] ?? "nats://127.0.0.1:4222");
// The library takes user and password apart from the server.
const client = await connect({ servers: url.host, user: url.username || undefined, pass: url.password || undefined });
const event = {
  specversion: "1.0", id: "invoice-44-paid", source: "/billing",
  type: "flowtrail.audit.recorded.v1", time: "2024-01-31T12:00:00Z",
  data: { event_type: "invoice.pay", actor_id: "carol", resource_type: "invoice", resource_id: "44" },
};
const fields = headers();
fields.set("Content-Type", "application/cloudevents+json");
fields.set("Nats-Msg-Id", `main:${event.id}`);
const stored = await jetstream(client).publish("flowtrail.v1.audit.main.billing", JSON.stringify(event), { headers: fields });
console.log(`${event.id} is number ${stored.seq} in ${stored.stream}`);
await client.close();
