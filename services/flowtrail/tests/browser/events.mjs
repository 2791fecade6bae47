// What the log has in it before somebody looks. Everything has an id, so that it is there once however often it is published.

const HOUR_MS = 3_600_000;
const BEGIN = Date.UTC(2026, 0, 5);

const at = (index) => new Date(BEGIN + index * HOUR_MS).toISOString();
const of = (list, index) => list[index % list.length];

/** One each hour: every fourth failed, a third is by each of three people. */
export const AUDIT = Array.from({ length: 72 }, (_, index) => ({
  id: `audit-${index}`,
  time: at(index),
  event_type: of(["door.open", "door.close", "invoice.pay", "user.login", "user.logout"], index),
  actor_id: of(["alice", "bob", "carol"], index),
  actor_email: `${of(["alice", "bob", "carol"], index)}@example.com`,
  resource_type: of(["door", "invoice"], index),
  resource_id: String(index % 7),
  status: index % 4 === 3 ? "failure" : "success",
  ip_address: `10.0.${index % 3}.${index % 5}`,
  request_id: `request-${Math.floor(index / 2)}`,
}));

export const TRAFFIC = Array.from({ length: 48 }, (_, index) => ({
  id: `traffic-${index}`,
  time: at(index),
  flow_id: `flow-${index}`,
  reporter_id: of(["gateway-1", "gateway-2"], index),
  type: of(["TYPE_START", "TYPE_END", "TYPE_DROP"], index),
  protocol: of([6, 17], index),
  direction: of(["EGRESS", "INGRESS"], index),
  source: { address: `10.0.0.${1 + (index % 4)}:${50_000 + index}` },
  destination: { address: `10.0.1.${1 + (index % 3)}:${of([443, 53], index)}` },
  rx_bytes: 1000 * index,
  tx_bytes: 10 * index,
  rx_packets: index,
  tx_packets: index,
}));

/** Texts as somebody would write who means harm to who looks at them. */
export const HOSTILE = {
  markup: `<img src=x onerror="alert('markup')"><script>alert("script")</script>`,
  control: "bell\u0007 escape\u001b[31m null-like\u0001",
  bidi: "invoice\u202Efdp.exe",
};
