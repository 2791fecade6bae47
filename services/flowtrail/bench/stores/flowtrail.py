"""Flowtrail over HTTP: a program of its own with its own nats-server, filled by its own importer."""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import time
import urllib.parse

import orjson
import ready

from . import Store, size

STARTS_WITHIN = 600
# However slow the machine is, something is wrong when the view stands still for so long.
STANDS_STILL = 120
PATH = "/api/events/network-traffic?"
# Asked faster than anybody may by default; no store but this one would record who asks.
SETTINGS = {"FLOWTRAIL_RATE_READS": "0", "FLOWTRAIL_RATE_ADDRESS": "0", "FLOWTRAIL_AUDIT_READS": "false"}


class Flowtrail(Store):
    name = "flowtrail"
    program = None

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
        command = [self.options[self.name], "import", "traffic", str(path), "--data-dir", str(self.directory / "data")]
        # An older build knows its nats-server by the port alone.
        command += ["--nats-port", str(self.nats_port)]
        with open(self.directory / "import.log", "w") as log:
            subprocess.run(command, check=True, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        self.begin()
        rows = self.wait_for(self.options["records"])
        seconds = time.perf_counter() - started
        views, nats = (size(self.directory / "data" / part) for part in ("views/traffic", "nats"))
        return {"rows": rows, "seconds": seconds, "disk": views, "log": nats}

    def wait_for(self, records):
        total, changed = -1, time.monotonic()
        while total < records:
            seen, _ = self.query({"page": 1, "page_size": 1})
            if seen != total:
                total, changed = seen, time.monotonic()
            if time.monotonic() - changed > STANDS_STILL:
                raise RuntimeError(f"the view stands still at {total} of {records} records")
            time.sleep(0.05)
        return total

    def begin(self):
        """Connects again: the gateway has closed what has been idle for as long as the others had their turns."""
        self.connection.close()
        self.connection.connect()

    def query(self, query):
        return self.page(self.connection, path(query))

    def page(self, connection, path):
        status, _, body = get(connection, path, self.headers)
        if status != 200:
            raise RuntimeError(f"{status} {body[:200]!r}")
        answer = orjson.loads(body)
        return answer["total_records"], [record["flow_id"] for record in answer["data"]]

    @contextlib.contextmanager
    def ready(self, queries):
        """A way to ask these queries that is answered by bytes which are there already."""
        paths = [path(query) for query in queries]
        answers = {path: ready.response(*get(self.connection, path, self.headers)) for path in paths}
        with ready.serving(answers) as port:
            connection = http.client.HTTPConnection("127.0.0.1", port)
            yield lambda query: self.page(connection, path(query))
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
        parameters |= {"start_date": rfc3339(query["start"]), "end_date": rfc3339(query["end"])}
    return PATH + urllib.parse.urlencode(parameters)


def get(connection, path, headers):
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    return answer.status, answer.getheaders(), answer.read()


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def rfc3339(micros):
    seconds, fraction = divmod(micros, 1_000_000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{fraction:06d}Z"
