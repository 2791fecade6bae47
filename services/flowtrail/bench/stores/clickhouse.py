"""ClickHouse through chdb, in this process: one MergeTree ordered by time, low-cardinality columns."""

import ipaddress
import json
import os
import resource
import time

from chdb import session

from . import Store, equal, page
from .sql import Sql

LOW = "LowCardinality(String)"
END = (
    "Tuple(id String, type String, name String, geo_location Tuple(city_name String, country_code String),"
    " os String, address String, dns_label String)"
)
FILE = (
    f"flow_id String, reporter_id String, source {END}, destination {END},"
    " user Tuple(id String, email String, name String), policy Tuple(id String, name String),"
    " icmp Tuple(type UInt8, code UInt8), protocol UInt8, connection_type String, direction String,"
    " rx_bytes UInt64, rx_packets UInt64, tx_bytes UInt64, tx_packets UInt64,"
    " events Array(Tuple(type String, timestamp String))"
)
# An address and its port in columns of their own, where questions are about them.
ADDRESSES = {
    "dst_ip IPv4": "toIPv4(splitByChar(':', destination.address)[1])",
    "dst_port UInt16": "toUInt16(splitByChar(':', destination.address)[2])",
}
EVENTS = (
    "id String, time String, event_type String, actor_id String, actor_name String, actor_email String,"
    " resource_type String, resource_id String, status String, ip_address String, user_agent String,"
    " http_method String, path String, http_status UInt16, latency_ms Float64, request_id String,"
    " meta Tuple(name String, network_range String)"
)
# What a search looks through.
TEXTS = (
    "id", "event_type", "actor_id", "actor_name", "actor_email", "resource_type", "resource_id", "ip_address",
    "user_agent", "path", "request_id", "meta_name", "meta_range",
)
PARTS = ("id", "type", "name", "geo_location.city_name", "geo_location.country_code", "os", "address", "dns_label")


class ClickHouse(Sql, Store):
    name = "clickhouse"

    def open(self):
        self.session = session.Session(str(self.directory))
        self.session.query(f"SET max_threads={os.cpu_count() or 2}")

    def load(self, path):
        self.fresh()
        self.open()
        self.session.query("CREATE DATABASE IF NOT EXISTS b ENGINE=Atomic")
        started = time.perf_counter()
        table = self.load_events(path) if self.options["family"] == "audit" else self.load_flows(path)
        # Merged into one part, so that queries meet it at its best.
        self.session.query(f"OPTIMIZE TABLE b.{table} FINAL")
        seconds = time.perf_counter() - started
        parts = f"SELECT sum(rows), sum(bytes_on_disk) FROM system.parts WHERE active AND table = '{table}'"
        rows, disk = self.table(parts)[0]
        return {"rows": int(rows), "seconds": seconds, "disk": int(disk)}

    def load_flows(self, path):
        columns = ("id", "type", "name", "city", "cc", "os", "addr", "dns")
        kinds = {"addr": "String"}
        ends = ADDRESSES if self.options["workload"] == "counts" else {}
        sides = ", ".join(f"{end}_{name} {kinds.get(name, LOW)}" for end in ("src", "dst") for name in columns)
        self.session.query(
            f"""CREATE TABLE b.flows (ts DateTime64(6,'UTC'), flow_id String, reporter_id {LOW}, {sides},
            user_id {LOW}, user_email {LOW}, user_name {LOW}, policy_id {LOW}, policy_name {LOW},
            icmp_type UInt8, icmp_code UInt8, protocol UInt8, connection_type {LOW}, direction {LOW},
            rx_bytes UInt64, rx_packets UInt64, tx_bytes UInt64, tx_packets UInt64,
            ev_types Array({LOW}), ev_ts Array(DateTime64(6,'UTC')){"".join(f", {name}" for name in ends)})
            ENGINE=MergeTree ORDER BY (ts, flow_id)"""
        )
        read = ", ".join(f"{end}.{part}" for end in ("source", "destination") for part in PARTS)
        self.session.query(
            f"""INSERT INTO b.flows SELECT parseDateTime64BestEffort(events[1].timestamp, 6, 'UTC'),
            flow_id, reporter_id, {read}, user.id, user.email, user.name, policy.id, policy.name,
            icmp.type, icmp.code, protocol, connection_type, direction, rx_bytes, rx_packets, tx_bytes, tx_packets,
            events.type, arrayMap(x -> parseDateTime64BestEffort(x, 6, 'UTC'), events.timestamp)
            {"".join(f", {read}" for read in ends.values())} FROM file('{path}', JSONEachRow, '{FILE}')"""
        )
        return "flows"

    def load_events(self, path):
        self.session.query(
            f"""CREATE TABLE b.events (ts DateTime64(6,'UTC'), id String, event_type {LOW}, event_group {LOW},
            actor_id {LOW}, actor_name {LOW}, actor_email {LOW}, resource_type {LOW}, resource_id {LOW}, status {LOW},
            ip_address String, user_agent {LOW}, http_method {LOW}, path {LOW}, http_status UInt16, latency_ms Float64,
            request_id String, meta_name {LOW}, meta_range {LOW}) ENGINE=MergeTree ORDER BY (ts, id)"""
        )
        self.session.query(
            f"""INSERT INTO b.events SELECT parseDateTime64BestEffort(time, 6, 'UTC'), id, event_type,
            splitByChar('.', event_type)[1], actor_id, actor_name, actor_email, resource_type, resource_id, status,
            ip_address, user_agent, http_method, path, http_status, latency_ms, request_id, meta.name,
            meta.network_range FROM file('{path}', JSONEachRow, '{EVENTS}')"""
        )
        return "events"

    def query(self, query):
        if not isinstance(query, dict):
            return self.asked(query)
        clauses = self.clauses(query)
        where = f" WHERE {' AND '.join(clauses)}" if clauses else ""
        total = int(self.session.query(f"SELECT count() FROM b.flows{where}", "TabSeparated").bytes())
        order = "ORDER BY ts DESC, flow_id DESC LIMIT {} OFFSET {}".format(*page(query))
        return total, [row[1] for row in self.table(f"SELECT * FROM b.flows{where} {order}")]

    def table(self, sql):
        return json.loads(self.session.query(sql, "JSONCompact").bytes())["data"]

    def rows(self, sql):
        return self.table(sql.replace(" FROM ", " FROM b.", 1))

    def written(self, value):
        return written(value)

    def bucket(self, start, width):
        return f"intDiv(toUnixTimestamp64Micro(ts) - {start}, {width})"

    def bounds(self, period):
        start, end = (f"fromUnixTimestamp64Micro({micros}, 'UTC')" for micros in (period.start, period.end))
        return f"ts >= {start} AND ts < {end}"

    def found(self, text):
        return "(" + " OR ".join(f"positionCaseInsensitive({column}, {written(text)}) > 0" for column in TEXTS) + ")"

    def host(self, address):
        return f"splitByChar(':', {address})[1]"

    def network(self, column, network):
        block = ipaddress.ip_network(network)
        return f"{column} BETWEEN toIPv4('{block[0]}') AND toIPv4('{block[-1]}')"

    @staticmethod
    def clauses(query):
        clauses = [f"{key} = {written(value)}" for key, value in equal(query)]
        if "type" in query:
            clauses.append(f"has(ev_types, {written(query['type'])})")
        if "start" in query:
            start, end = (f"fromUnixTimestamp64Micro({query[key]}, 'UTC')" for key in ("start", "end"))
            clauses.append(f"ts >= {start} AND ts <= {end}")
        if "search" in query:
            text = written(query["search"].lower())
            found = [f"positionCaseInsensitive({column}, {text}) > 0" for column in ("user_email", "src_name", "dst_name")]
            found += [f"position({column}, {text}) > 0" for column in ("src_addr", "dst_addr")]
            clauses.append("(" + " OR ".join(found) + ")")
        return clauses

    def memory(self):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def written(value):
    """A value as ClickHouse reads it."""
    if not isinstance(value, str):
        return str(value)
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
