"""DuckDB: one table of columns in a file, no indexes."""

import os
import resource
import time

import duckdb

from . import Store, equal, page, size

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
SEARCHED = ("user_email", "src_name", "dst_name", "src_addr", "dst_addr")


def side(name, short):
    """One end of a flow, its parts as columns."""
    parts = [("id", "id"), ("type", "type"), ("name", "name"), ("geo_location.city_name", "city")]
    parts += [("geo_location.country_code", "cc"), ("os", "os"), ("address", "addr"), ("dns_label", "dns")]
    return ", ".join(f"{name}.{part} AS {short}_{column}" for part, column in parts)


class DuckDB(Store):
    name = "duckdb"

    def open(self):
        self.connection = duckdb.connect(str(self.directory / "flows.db"))
        threads = os.cpu_count() or 2
        self.connection.execute(f"SET threads={threads}; SET memory_limit='8GB'; SET TimeZone='UTC'")

    def load(self, path):
        self.fresh()
        self.open()
        columns = "{" + ",".join(f"'{name}':'{kind}'" for name, kind in COLUMNS.items()) + "}"
        started = time.perf_counter()
        self.connection.execute(
            f"""CREATE TABLE flows AS SELECT
            epoch_us(events[1].timestamp::TIMESTAMPTZ) AS ts, flow_id::UUID AS flow_id, reporter_id,
            {side("source", "src")}, {side("destination", "dst")},
            "user".id AS user_id, "user".email AS user_email, "user".name AS user_name,
            policy.id AS policy_id, policy.name AS policy_name, icmp.type AS icmp_type, icmp.code AS icmp_code,
            protocol, connection_type, direction, rx_bytes, rx_packets, tx_bytes, tx_packets,
            list_transform(events, lambda x: x.type) AS ev_types,
            list_transform(events, lambda x: epoch_us(x.timestamp::TIMESTAMPTZ)) AS ev_ts
            FROM read_json('{path}', format='newline_delimited', columns={columns})"""
        )
        self.connection.execute("CHECKPOINT")
        seconds = time.perf_counter() - started
        rows = self.connection.execute("SELECT count(*) FROM flows").fetchone()[0]
        return {"rows": rows, "seconds": seconds, "disk": size(self.directory)}

    def query(self, query):
        clauses, values = self.clauses(query)
        where = f" WHERE {' AND '.join(clauses)}" if clauses else ""
        total = self.connection.execute(f"SELECT count(*) FROM flows{where}", values).fetchone()[0]
        order = "ORDER BY ts DESC, flow_id DESC LIMIT {} OFFSET {}".format(*page(query))
        rows = self.connection.execute(f"SELECT * FROM flows{where} {order}", values).fetchall()
        return total, [str(row[1]) for row in rows]

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
