/** Audit events: who did what to what. */

import { type FamilyPage, firstOf } from "../explore/family";

/** Members that the language knows by another name than their own. */
const NAMES: Readonly<Record<string, string>> = {
  error_message: "error",
  user_agent: "agent",
  http_method: "method",
  correlation_id: "correlation",
  vm_id: "vm",
  session_id: "session",
};

const actor = (item: Parameters<FamilyPage["headline"]>[0]): unknown => firstOf(item, "actor_name", "actor_email", "actor_id", "user_name");

export const auditFamily: FamilyPage = {
  family: "audit",
  title: "Audit",
  noun: "event",
  columns: ["time", "event_type", "actor", "resource", "status", "ip_address"],
  facets: ["event_type", "event_group", "status", "actor", "resource_type", "ip_address"],
  split: "status",
  sums: [],
  widths: {
    time: "15rem",
    event_type: "minmax(13rem, 1.2fr)",
    actor: "minmax(13rem, 1.5fr)",
    resource: "minmax(11rem, 1.5fr)",
    status: "6rem",
    ip_address: "minmax(8rem, 0.6fr)",
  },
  members: {
    activity: (item) => firstOf(item, "activity", "event_type"),
    actor,
    name: (item) => firstOf(item, "actor_name", "actor_email"),
    email: (item) => item["actor_email"],
    resource: (item) => firstOf(item, "resource_id", "resource_type"),
    ip: (item) => firstOf(item, "ip_address", "node_ip"),
    payload: (item) => item["event_payload"],
    error: (item) => item["error_message"],
    agent: (item) => item["user_agent"],
    method: (item) => item["http_method"],
    correlation: (item) => item["correlation_id"],
    vm: (item) => item["vm_id"],
    session: (item) => item["session_id"],
  },
  fieldOf: (path) => (path === "time" ? null : (NAMES[path] ?? path.replace(/^event_payload(?=\.|$)/, "payload"))),
  ties: ["correlation", "request_id", "session", "task_id"],
  label: (_, value) => value,
  headline: (item) => String(firstOf(item, "activity", "event_type") ?? item.id),
  views: [],
  placeholder: "status:failure -actor:alice",
  merges: false,
  publishPath: "/api/events/audit",
  example: { event_type: "door.open", actor_id: "alice", resource_type: "door", resource_id: "lab" },
};
