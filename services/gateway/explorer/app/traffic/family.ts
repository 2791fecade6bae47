/** Network traffic: what talked to what, and how much. */

import type { Item } from "../api/events";
import { type FamilyPage, firstOf, member } from "../explore/family";
import { Drops } from "./Drops";
import { Pairs } from "./Pairs";
import { Talkers } from "./Talkers";

/** Protocols by their IANA numbers, as the language names them; others are shown by number. */
const PROTOCOLS: Readonly<Record<string, string>> = { 1: "icmp", 6: "tcp", 17: "udp", 47: "gre", 50: "esp", 58: "ipv6-icmp", 132: "sctp" };

/** Members that the language knows by another name than their own; times, and what is in none of its fields, by none. */
const NAMES: Readonly<Record<string, string | null>> = {
  time: null,
  received_at: null,
  window_start: null,
  window_end: null,
  reporter_id: "reporter",
  reporters: "reporter",
  flow_id: "flow",
  "events.type": "type",
  "events.timestamp": null,
  num_of_starts: "starts",
  num_of_ends: "ends",
  num_of_drops: "drops",
  "icmp.type": "icmp_type",
  "icmp.code": "icmp_code",
};

const end = (name: "source" | "destination") => (item: Item) =>
  firstOf(item, `${name}.name`, `${name}.dns_label`, `${name}.address`, `${name}.id`);
const both = (one: string, other: string) => (item: Item) => Number(item[one] ?? 0) + Number(item[other] ?? 0);
const port = (name: "source" | "destination") => (item: Item) => /:(\d+)$/.exec(String(member(item, `${name}.address`) ?? ""))?.[1];
const kinds = (item: Item): string[] => {
  const events = Array.isArray(item["events"]) ? item["events"] : [];
  return [...new Set(events.map((event) => String(member(event, "type") ?? "").replace("TYPE_", "").toLowerCase()))];
};
const named = (item: Item): unknown => {
  const number = String(item["protocol"] ?? "");
  return PROTOCOLS[number] ?? number;
};

export const trafficFamily: FamilyPage = {
  family: "traffic",
  title: "Traffic",
  noun: "record",
  columns: ["time", "source", "destination", "protocol", "type", "bytes", "packets", "reporter"],
  facets: ["source", "destination", "reporter", "user", "protocol", "direction"],
  split: "protocol",
  sums: ["bytes", "packets"],
  widths: {
    time: "15rem",
    source: "minmax(11rem, 1fr)",
    destination: "minmax(11rem, 1fr)",
    protocol: "6.2rem",
    type: "8rem",
    bytes: "7rem",
    packets: "6rem",
    reporter: "minmax(10rem, 1fr)",
  },
  members: {
    received: (item) => item["received_at"],
    flow: (item) => item["flow_id"],
    reporter: (item) => item["reporters"] ?? item["reporter_id"],
    type: kinds,
    connection: (item) => item["connection_type"],
    protocol: named,
    icmp_type: (item) => member(item, "icmp.type"),
    icmp_code: (item) => member(item, "icmp.code"),
    src: (item) => member(item, "source.address"),
    dst: (item) => member(item, "destination.address"),
    sport: port("source"),
    dport: port("destination"),
    source: end("source"),
    destination: end("destination"),
    "source.city": (item) => member(item, "source.geo_location.city_name"),
    "source.country": (item) => member(item, "source.geo_location.country_code"),
    "destination.city": (item) => member(item, "destination.geo_location.city_name"),
    "destination.country": (item) => member(item, "destination.geo_location.country_code"),
    user: (item) => firstOf(item, "user.name", "user.email", "user.id"),
    policy: (item) => firstOf(item, "policy.name", "policy.id"),
    bytes: both("rx_bytes", "tx_bytes"),
    packets: both("rx_packets", "tx_packets"),
    starts: (item) => item["num_of_starts"],
    ends: (item) => item["num_of_ends"],
    drops: (item) => item["num_of_drops"],
  },
  fieldOf: (path) => (path in NAMES ? (NAMES[path] ?? null) : path),
  ties: ["flow"],
  label: (field, value) => (field === "protocol" ? (PROTOCOLS[value] ?? value) : value),
  headline: (item) => `${String(end("source")(item) ?? "?")} → ${String(end("destination")(item) ?? "?")}`,
  views: [
    { name: "talkers", title: "Talkers", component: Talkers },
    { name: "pairs", title: "Pairs", component: Pairs },
    { name: "drops", title: "Drops", component: Drops },
  ],
  placeholder: "dst:10.0.0.0/8 bytes:>1MB",
  merges: true,
  publishPath: "/api/events/network-traffic",
  example: {
    reporter_id: "gw-1",
    type: "TYPE_END",
    protocol: 6,
    source: { address: "10.0.0.7:51022" },
    destination: { address: "10.0.0.4:443" },
    rx_bytes: 5120,
    tx_bytes: 900,
    rx_packets: 9,
    tx_packets: 7,
  },
};
