import { CloudEvent, HTTP } from "cloudevents";

const [api = "http://127.0.0.1:8080", token = process.env.TOKEN] = process.argv.slice(2);
const event = new CloudEvent({
  id: "invoice-47-paid", source: "/billing", type: "flowtrail.audit.recorded.v1",
  time: "2024-01-31T12:00:00Z",
  data: { event_type: "invoice.pay", actor_id: "frank", resource_type: "invoice", resource_id: "47" },
});
const { headers, body } = HTTP.structured(event);
const answer = await fetch(`${api}/api/events/audit`, {
  method: "POST", headers: { ...headers, Authorization: `Token ${token}` }, body,
});
console.log(answer.status, await answer.text());
process.exitCode = answer.ok ? 0 : 1;
