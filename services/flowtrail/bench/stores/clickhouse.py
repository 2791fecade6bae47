"""ClickHouse through chdb, in this process: one MergeTree ordered by time, low-cardinality columns."""

import json
import os
import resource
import time

from chdb import session

from . import Store, equal, page

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
PARTS = ("id", "type", "name", "geo_location.city_name", "geo_location.country_code", "os", "address", "dns_label")


class ClickHouse(Store):
    name = "clickhouse"

    def open(self):
        self.session = session.Session(str(self.directory))
        self.session.query(f"SET max_threads={os.cpu_count() or 2}")

    def load(self, path):
        self.fresh()
        self.open()
        self.session.query("CREATE DATABASE IF NOT EXISTS b ENGINE=Atomic")
        columns = ("id", "type", "name", "city", "cc", "os", "addr", "dns")
        kinds = {"addr": "String"}
        sides = ", ".join(f"{end}_{name} {kinds.get(name, LOW)}" for end in ("src", "dst") for name in columns)
        self.session.query(
            f"""CREATE TABLE b.flows (ts DateTime64(6,'UTC'), flow_id String, reporter_id {LOW}, {sides},
            user_id {LOW}, user_email {LOW}, user_name {LOW}, policy_id {LOW}, policy_name {LOW},
            icmp_type UInt8, icmp_code UInt8, protocol UInt8, connection_type {LOW}, direction {LOW},
            rx_bytes UInt64, rx_packets UInt64, tx_bytes UInt64, tx_packets UInt64,
            ev_types Array({LOW}), ev_ts Array(DateTime64(6,'UTC')))
            ENGINE=MergeTree ORDER BY (ts, flow_id)"""
        )
        read = ", ".join(f"{end}.{part}" for end in ("source", "destination") for part in PARTS)
        started = time.perf_counter()
        self.session.query(
            f"""INSERT INTO b.flows SELECT parseDateTime64BestEffort(events[1].timestamp, 6, 'UTC'),
            flow_id, reporter_id, {read}, user.id, user.email, user.name, policy.id, policy.name,
            icmp.type, icmp.code, protocol, connection_type, direction, rx_bytes, rx_packets, tx_bytes, tx_packets,
            events.type, arrayMap(x -> parseDateTime64BestEffort(x, 6, 'UTC'), events.timestamp)
            FROM file('{path}', JSONEachRow, '{FILE}')"""
        )
        # Merged into one part, so that queries meet it at its best.
        self.session.query("OPTIMIZE TABLE b.flows FINAL")
        seconds = time.perf_counter() - started
        parts = "SELECT sum(rows), sum(bytes_on_disk) FROM system.parts WHERE active AND table = 'flows'"
        rows, disk = self.table(parts)[0]
        return {"rows": int(rows), "seconds": seconds, "disk": int(disk)}

    def query(self, query):
        clauses = self.clauses(query)
        where = f" WHERE {' AND '.join(clauses)}" if clauses else ""
        total = int(self.session.query(f"SELECT count() FROM b.flows{where}", "TabSeparated").bytes())
        order = "ORDER BY ts DESC, flow_id DESC LIMIT {} OFFSET {}".format(*page(query))
        return total, [row[1] for row in self.table(f"SELECT * FROM b.flows{where} {order}")]

    def table(self, sql):
        return json.loads(self.session.query(sql, "JSONCompact").bytes())["data"]

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
