"""SQLite: a table with b-trees that fit the queries, and a trigram index for the search."""

import resource
import sqlite3
import time

from . import MASK, Store, equal, page, size
from .rows import blocks, rows

PRAGMAS = ("journal_mode=WAL", "synchronous=NORMAL", "cache_size=-1000000", "mmap_size=8000000000", "temp_store=MEMORY")
TABLES = (
    "CREATE TABLE flows(id INTEGER PRIMARY KEY, ts INTEGER, flow_id TEXT, user_id TEXT, reporter_id TEXT,"
    " protocol INTEGER, direction TEXT, connection_type TEXT, mask INTEGER, search TEXT, doc TEXT)",
    "CREATE INDEX i_ts ON flows(ts, flow_id)",
    "CREATE INDEX i_u ON flows(user_id, ts)",
    "CREATE INDEX i_r ON flows(reporter_id, ts)",
    "CREATE INDEX i_p ON flows(protocol, direction, ts)",
    "CREATE VIRTUAL TABLE fts USING fts5(search, content='flows', content_rowid='id', tokenize='trigram', detail='full')",
)


class SQLite(Store):
    name = "sqlite"

    def open(self):
        self.connection = sqlite3.connect(self.directory / "flows.db", isolation_level=None)
        for pragma in PRAGMAS:
            self.connection.execute(f"PRAGMA {pragma}")

    def load(self, path):
        self.fresh()
        self.open()
        for sql in TABLES:
            self.connection.execute(sql)
        started, count = time.perf_counter(), 0
        for block in blocks(path, 20_000):
            numbered = [(count + index + 1, *row) for index, row in enumerate(rows(block))]
            count += len(numbered)
            self.connection.execute("BEGIN")
            self.connection.executemany("INSERT INTO flows VALUES(?,?,?,?,?,?,?,?,?,?,?)", numbered)
            searched = ((row[0], row[9]) for row in numbered)
            self.connection.executemany("INSERT INTO fts(rowid, search) VALUES(?,?)", searched)
            self.connection.execute("COMMIT")
        seconds = time.perf_counter() - started
        self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.connection.execute("ANALYZE")
        return {"rows": count, "seconds": seconds, "disk": size(self.directory)}

    def query(self, query):
        clauses, values = self.clauses(query)
        where = f" WHERE {' AND '.join(clauses)}" if clauses else ""
        total = self.connection.execute(f"SELECT count(*) FROM flows f{where}", values).fetchone()[0]
        order = "ORDER BY ts DESC, flow_id DESC LIMIT ? OFFSET ?"
        found = self.connection.execute(f"SELECT flow_id, doc FROM flows f{where} {order}", [*values, *page(query)])
        return total, [row[0] for row in found.fetchall()]

    @staticmethod
    def clauses(query):
        clauses = [f"{key} = ?" for key, _ in equal(query)]
        values = [value for _, value in equal(query)]
        if "type" in query:
            clauses.append("mask & ? <> 0")
            values.append(MASK[query["type"]])
        if "start" in query:
            clauses.append("ts BETWEEN ? AND ?")
            values += [query["start"], query["end"]]
        if "search" in query:
            text = query["search"].lower()
            # All queries have three characters or more; the index knows nothing shorter.
            clauses.append("f.id IN (SELECT rowid FROM fts WHERE fts MATCH ?)")
            values.append('"' + text.replace('"', '""') + '"')
        return clauses, values

    def memory(self):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
