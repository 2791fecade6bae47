"""DuckDB: one table of columns in a file, no indexes."""

import ipaddress
import os
import resource
import time

import duckdb

from . import Store, equal, page, size
from .sql import Sql

END = (
    "STRUCT(id VARCHAR, type VARCHAR, name VARCHAR, geo_location STRUCT(city_name VARCHAR, country_code VARCHAR),"
    " os VARCHAR, address VARCHAR, dns_label VARCHAR)"
)
COLUMNS = {
    "flow_id": "VARCHAR",
    "reporter_id": "VARCHAR",
    "source": END,
    "destination": END,
    "user": "STRUCT(id VARCHAR, email VARCHAR, name VARCHAR)",
    "policy": "STRUCT(id VARCHAR, name VARCHAR)",
    "icmp": "STRUCT(type UTINYINT, code UTINYINT)",
    "protocol": "UTINYINT",
    "connection_type": "VARCHAR",
    "direction": "VARCHAR",
    "rx_bytes": "UBIGINT",
    "rx_packets": "UBIGINT",
    "tx_bytes": "UBIGINT",
    "tx_packets": "UBIGINT",
    "events": "STRUCT(type VARCHAR, timestamp VARCHAR)[]",
}
# An address as a number and its port, where questions are about them.
ADDRESSES = ", " + " + ".join(
    f"split_part(split_part(destination.address, ':', 1), '.', {place + 1})::UINTEGER * {256 ** (3 - place)}" for place in range(4)
) + " AS dst_ip, split_part(destination.address, ':', 2)::USMALLINT AS dst_port"
EVENTS = {
    **dict.fromkeys(("id", "time", "event_type", "actor_id", "actor_name", "actor_email"), "VARCHAR"),
    **dict.fromkeys(("resource_type", "resource_id", "status", "ip_address", "user_agent"), "VARCHAR"),
    **dict.fromkeys(("http_method", "path", "request_id"), "VARCHAR"),
    "http_status": "USMALLINT",
    "latency_ms": "DOUBLE",
    "meta": "STRUCT(name VARCHAR, network_range VARCHAR)",
}
# What a search looks through.
TEXTS = (
    "id", "event_type", "actor_id", "actor_name", "actor_email", "resource_type", "resource_id", "ip_address",
    "user_agent", "path", "request_id", "meta_name", "meta_range",
)
SEARCHED = ("user_email", "src_name", "dst_name", "src_addr", "dst_addr")


def typed(columns):
    return "{" + ",".join(f"'{name}':'{kind}'" for name, kind in columns.items()) + "}"


def side(name, short):
    """One end of a flow, its parts as columns."""
    parts = [("id", "id"), ("type", "type"), ("name", "name"), ("geo_location.city_name", "city")]
    parts += [("geo_location.country_code", "cc"), ("os", "os"), ("address", "addr"), ("dns_label", "dns")]
    return ", ".join(f"{name}.{part} AS {short}_{column}" for part, column in parts)


class DuckDB(Sql, Store):
    name = "duckdb"

    def open(self):
        self.connection = duckdb.connect(str(self.directory / "flows.db"))
        threads = os.cpu_count() or 2
        self.connection.execute(f"SET threads={threads}; SET memory_limit='8GB'; SET TimeZone='UTC'")

    def load(self, path):
        self.fresh()
        self.open()
        started = time.perf_counter()
        table = self.load_events(path) if self.options["family"] == "audit" else self.load_flows(path)
        self.connection.execute("CHECKPOINT")
        seconds = time.perf_counter() - started
        rows = self.connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        return {"rows": rows, "seconds": seconds, "disk": size(self.directory)}

    def load_flows(self, path):
        self.connection.execute(
            f"""CREATE TABLE flows AS SELECT
            epoch_us(events[1].timestamp::TIMESTAMPTZ) AS ts, flow_id::UUID AS flow_id, reporter_id,
            {side("source", "src")}, {side("destination", "dst")},
            "user".id AS user_id, "user".email AS user_email, "user".name AS user_name,
            policy.id AS policy_id, policy.name AS policy_name, icmp.type AS icmp_type, icmp.code AS icmp_code,
            protocol, connection_type, direction, rx_bytes, rx_packets, tx_bytes, tx_packets,
            list_transform(events, lambda x: x.type) AS ev_types,
            list_transform(events, lambda x: epoch_us(x.timestamp::TIMESTAMPTZ)) AS ev_ts
            {ADDRESSES if self.options["workload"] == "counts" else ""} FROM read_json('{path}', format='newline_delimited', columns={typed(COLUMNS)})"""
        )
        return "flows"

    def load_events(self, path):
        self.connection.execute(
            f"""CREATE TABLE events AS SELECT
            epoch_us(time::TIMESTAMPTZ) AS ts, id, event_type, split_part(event_type, '.', 1) AS event_group,
            actor_id, actor_name, actor_email, resource_type, resource_id, status, ip_address, user_agent, http_method,
            path, http_status, latency_ms, request_id, meta.name AS meta_name, meta.network_range AS meta_range
            FROM read_json('{path}', format='newline_delimited', columns={typed(EVENTS)})"""
        )
        return "events"

    def query(self, query):
        if not isinstance(query, dict):
            return self.asked(query)
        clauses, values = self.clauses(query)
        where = f" WHERE {' AND '.join(clauses)}" if clauses else ""
        total = self.connection.execute(f"SELECT count(*) FROM flows{where}", values).fetchone()[0]
        order = "ORDER BY ts DESC, flow_id DESC LIMIT {} OFFSET {}".format(*page(query))
        rows = self.connection.execute(f"SELECT * FROM flows{where} {order}", values).fetchall()
        return total, [str(row[1]) for row in rows]

    def rows(self, sql):
        return self.connection.execute(sql).fetchall()

    def written(self, value):
        return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else str(value)

    def bucket(self, start, width):
        return f"(ts - {start}) // {width}"

    def bounds(self, period):
        return f"ts >= {period.start} AND ts < {period.end}"

    def found(self, text):
        return "(" + " OR ".join(f"contains(lower({column}), {self.written(text.lower())})" for column in TEXTS) + ")"

    def host(self, address):
        return f"split_part({address}, ':', 1)"

    def network(self, column, network):
        block = ipaddress.ip_network(network)
        return f"{column} BETWEEN {int(block[0])} AND {int(block[-1])}"

    @staticmethod
    def clauses(query):
        clauses = [f"{key} = ?" for key, _ in equal(query)]
        values = [value for _, value in equal(query)]
        if "type" in query:
            clauses.append("list_contains(ev_types, ?)")
            values.append(query["type"])
        if "start" in query:
            clauses.append("ts BETWEEN ? AND ?")
            values += [query["start"], query["end"]]
        if "search" in query:
            clauses.append("(" + " OR ".join(f"contains(lower({column}), ?)" for column in SEARCHED) + ")")
            values += [query["search"].lower()] * len(SEARCHED)
        return clauses, values

    def memory(self):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
