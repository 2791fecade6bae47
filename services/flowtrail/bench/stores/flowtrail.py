"""Flowtrail over HTTP: a program of its own with its own nats-server, filled by its own importer."""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import time
import urllib.parse

import audit
import orjson
import questions
import ready

from . import Store, native, size

STARTS_WITHIN = 600
# However slow the machine is, something is wrong when the view stands still for so long.
STANDS_STILL = 120
PATH = "/api/events/network-traffic?"
# Asked faster than anybody may by default; no store but this one would record who asks.
SETTINGS = {"FLOWTRAIL_RATE_READS": "0", "FLOWTRAIL_RATE_ADDRESS": "0", "FLOWTRAIL_AUDIT_READS": "false"}


class Flowtrail(Store):
    name = "flowtrail"
    program = None

    def __init__(self, options):
        super().__init__(options)
        # Where the pages begin that are not the first.
        self.cursors = {}

    def open(self):
        """Starts the program and waits until its views have caught up with its log."""
        data, port, self.nats_port = self.directory / "data", free_port(), free_port()
        environment = {name: value for name, value in os.environ.items() if name != "FLOWTRAIL_NATS_URL"} | SETTINGS
        command = [self.options[self.name], "up", "--data-dir", str(data), "--listen", f"127.0.0.1:{port}"]
        with open(self.directory / "log", "a") as log:
            self.program = subprocess.Popen(
                [*command, "--nats-port", str(self.nats_port)], env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
        until = time.monotonic() + STARTS_WITHIN
        while not self.is_ready():
            if self.program.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"flowtrail does not start, see {self.directory / 'log'}")
            time.sleep(0.2)
        self.headers = {"Authorization": "Token " + (data / "admin.token").read_text().strip()}

    def is_ready(self):
        try:
            return get(self.connection, "/readyz", {})[0] == 200
        except OSError:
            self.connection.close()
            return False

    def load(self, path):
        self.fresh()
        self.open()
        started = time.perf_counter()
        # What is in the way of every message is a part of the figure: parsing, NATS, projection.
        command = [self.options[self.name], "import", self.options["family"], str(path), "--data-dir", str(self.directory / "data")]
        # An older build knows its nats-server by the port alone.
        command += ["--nats-port", str(self.nats_port)]
        with open(self.directory / "import.log", "w") as log:
            subprocess.run(command, check=True, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        self.begin()
        rows = self.wait_for(self.options["records"])
        seconds = time.perf_counter() - started
        views, nats = (size(self.directory / "data" / part) for part in (f"views/{self.options['family']}", "nats"))
        return {"rows": rows, "seconds": seconds, "disk": views, "log": nats}

    def wait_for(self, records):
        total, changed = -1, time.monotonic()
        while total < records:
            seen = self.count()
            if seen != total:
                total, changed = seen, time.monotonic()
            if time.monotonic() - changed > STANDS_STILL:
                raise RuntimeError(f"the view stands still at {total} of {records} records")
            time.sleep(0.05)
        return total

    def count(self):
        """How many records its list has."""
        if self.options["family"] == "traffic":
            return self.query({"page": 1, "page_size": 1})[0]
        return self.query(questions.List([], audit.ALL))[0]

    def begin(self):
        """Connects again: the gateway has closed what has been idle for as long as the others had their turns."""
        self.connection.close()
        self.connection.connect()

    def prepare(self, query):
        if getattr(query, "page", 1) > 1:
            self.cursors[str(query)] = native.cursor(query, self.options["family"], self.answer)

    def query(self, query):
        return self.asked(self.connection, query)

    def asked(self, connection, query):
        answer = self.answer(self.path(query), connection)
        if not isinstance(query, dict):
            return native.told(query, answer)
        return answer["total_records"], [record["flow_id"] for record in answer["data"]]

    def path(self, query):
        if not isinstance(query, dict):
            return native.path(query, self.options["family"], self.cursors.get(str(query)))
        return path(query)

    def answer(self, path, connection=None):
        status, _, body = get(connection or self.connection, path, self.headers)
        if status != 200:
            raise RuntimeError(f"{path}: {status} {body[:200]!r}")
        return orjson.loads(body)

    @contextlib.contextmanager
    def ready(self, queries):
        """A way to ask these queries that is answered by bytes which are there already."""
        paths = map(self.path, queries)
        answers = {path: ready.response(*get(self.connection, path, self.headers)) for path in paths}
        with ready.serving(answers) as port:
            connection = http.client.HTTPConnection("127.0.0.1", port)
            yield lambda query: self.asked(connection, query)
            connection.close()

    def round_trip(self):
        """A request that asks for nothing: what HTTP alone costs."""
        get(self.connection, "/healthz", {})

    def memory(self):
        with open(f"/proc/{self.program.pid}/status") as status:
            peak = next(line for line in status if line.startswith("VmHWM:"))
        return int(peak.split()[1]) * 1024

    def close(self):
        if self.program is not None and self.program.poll() is None:
            self.program.send_signal(signal.SIGINT)
            self.program.wait()


class Before(Flowtrail):
    """Another build of it, which this one is held against."""

    name = "before"


def path(query):
    parameters = {name: value for name, value in query.items() if name not in ("start", "end")}
    if "start" in query:
        parameters |= {"start_date": native.rfc3339(query["start"]), "end_date": native.rfc3339(query["end"])}
    return PATH + urllib.parse.urlencode(parameters)


def get(connection, path, headers):
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    return answer.status, answer.getheaders(), answer.read()


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]
