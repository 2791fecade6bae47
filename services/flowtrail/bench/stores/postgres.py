"""PostgreSQL, a server of its own: columns to filter by, the record as JSON, b-trees that fit, a trigram index.

Its programs are found in PGBIN, on PATH or by pg_config. As root, which it refuses to run as, it runs as the system's
user PGOSUSER (default: postgres).
"""

import os
import pathlib
import shutil
import subprocess
import time

import psycopg

from . import MASK, Store, equal, page
from .rows import blocks, rows

TABLE = (
    "CREATE TABLE flows(ts bigint NOT NULL, flow_id uuid NOT NULL, user_id text, reporter_id text, protocol smallint,"
    " direction text, connection_type text, mask smallint, search text, doc json)"
)
INDEXES = (
    "CREATE INDEX i_ts ON flows(ts DESC, flow_id DESC)",
    "CREATE INDEX i_u ON flows(user_id, ts DESC, flow_id DESC)",
    "CREATE INDEX i_r ON flows(reporter_id, ts DESC, flow_id DESC)",
    "CREATE INDEX i_p ON flows(protocol, direction, ts DESC, flow_id DESC)",
    "CREATE INDEX i_trgm ON flows USING gin(search gin_trgm_ops)",
)
SETTINGS = {
    "shared_buffers": "4GB",
    "work_mem": "64MB",
    "maintenance_work_mem": "1GB",
    "max_wal_size": "8GB",
    "effective_cache_size": "12GB",
    "random_page_cost": "1.1",
    "effective_io_concurrency": "200",
    "checkpoint_timeout": "15min",
    "wal_compression": "lz4",
    "max_parallel_workers_per_gather": "2",
    "max_parallel_maintenance_workers": "2",
    "jit": "off",
    "listen_addresses": "",
}
ESCAPES = {ord("\\"): "\\\\", ord("\n"): "\\n", ord("\t"): "\\t", ord("\r"): "\\r"}
STARTS_WITHIN = 30


def programs():
    """The directory of PostgreSQL's programs; none where there are none."""
    if named := os.environ.get("PGBIN"):
        return pathlib.Path(named)
    candidates = []
    if found := shutil.which("postgres"):
        candidates.append(pathlib.Path(found).resolve().parent)
    if shutil.which("pg_config"):
        listed = subprocess.run(["pg_config", "--bindir"], capture_output=True, text=True)
        candidates.append(pathlib.Path(listed.stdout.strip()))
    candidates += sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    complete = [path for path in candidates if all((path / name).exists() for name in ("postgres", "initdb", "pg_ctl"))]
    return complete[0] if complete else None


class Postgres(Store):
    name = "postgres"
    server = None

    def open(self):
        self.start()

    def start(self):
        data, sockets = self.directory / "data", self.directory / "s"
        arguments = [str(programs() / "postgres"), "-D", str(data)]
        for name, value in {**SETTINGS, "unix_socket_directories": str(sockets)}.items():
            arguments += ["-c", f"{name}={value}"]
        with open(self.directory / "log", "w") as log:
            self.server = subprocess.Popen(as_user(arguments), stdout=subprocess.DEVNULL, stderr=log, cwd="/")
        until = time.monotonic() + STARTS_WITHIN
        while True:
            try:
                self.connection = psycopg.connect(host=str(sockets), user="bench", dbname="postgres", autocommit=True)
                break
            except psycopg.OperationalError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.1)
        # Each query is planned for its own values.
        self.connection.prepare_threshold = None

    def load(self, path):
        self.fresh()
        data, sockets = self.directory / "data", self.directory / "s"
        sockets.mkdir()
        if os.getuid() == 0:
            for directory in (self.directory, sockets):
                shutil.chown(directory, user())
        initdb = [str(programs() / "initdb"), "-D", str(data), "-U", "bench", "-A", "trust", "-E", "UTF8", "--locale=C"]
        subprocess.run(as_user(initdb), check=True, stdout=subprocess.DEVNULL, cwd="/")
        self.start()
        self.connection.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        self.connection.execute(TABLE)
        started = time.perf_counter()
        count = self.copy(path)
        for sql in INDEXES:
            self.connection.execute(sql)
        seconds = time.perf_counter() - started
        self.connection.execute("VACUUM ANALYZE flows")
        disk = self.connection.execute("SELECT pg_total_relation_size('flows')").fetchone()[0]
        self.connection.execute("CHECKPOINT")
        return {"rows": count, "seconds": seconds, "disk": disk}

    def copy(self, path):
        count = 0
        for block in blocks(path, 10_000):
            lines = []
            for *columns, searched, record in rows(block):
                fields = [*map(str, columns), searched.translate(ESCAPES), record.replace("\\", "\\\\")]
                lines.append("\t".join(fields) + "\n")
            with self.connection.cursor() as cursor, cursor.copy("COPY flows FROM STDIN") as copy:
                copy.write("".join(lines))
            count += len(block)
        return count

    def query(self, query):
        clauses, values = self.clauses(query)
        where = f" WHERE {' AND '.join(clauses)}" if clauses else ""
        total = self.connection.execute(f"SELECT count(*) FROM flows{where}", values).fetchone()[0]
        order = "ORDER BY ts DESC, flow_id DESC LIMIT %s OFFSET %s"
        sql = f"SELECT flow_id, doc::text FROM flows{where} {order}"
        return total, [str(row[0]) for row in self.connection.execute(sql, [*values, *page(query)]).fetchall()]

    @staticmethod
    def clauses(query):
        clauses = [f"{key} = %s" for key, _ in equal(query)]
        values = [value for _, value in equal(query)]
        if "type" in query:
            clauses.append("mask & %s <> 0")
            values.append(MASK[query["type"]])
        if "start" in query:
            clauses.append("ts BETWEEN %s AND %s")
            values += [query["start"], query["end"]]
        if "search" in query:
            text = query["search"].lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
            clauses.append("search LIKE %s")
            values.append(f"%{text}%")
        return clauses, values

    def close(self):
        if self.server is not None:
            stop = [str(programs() / "pg_ctl"), "-D", str(self.directory / "data"), "-m", "fast", "stop"]
            subprocess.run(as_user(stop), stdout=subprocess.DEVNULL, cwd="/")
            self.server.wait()


def user():
    return os.environ.get("PGOSUSER", "postgres")


def as_user(command):
    return ["runuser", "-u", user(), "--", *command] if os.getuid() == 0 else command
