"""Many accounts with few records each: how much memory it takes to answer every one of them once.

Fills a Flowtrail of its own through NATS, stops it, starts it again, asks each account for its newest page, and prints
what the process took at most (VmHWM), what it holds at the end, how long the questions took, and one checksum over all
answers: two builds that print the same one gave the same answers. `--reuse` asks what an earlier run has filled.
"""

import argparse
import asyncio
import hashlib
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import statistics
import subprocess
import time

import nats

ENDS = ["source", "destination"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--flowtrail", required=True, help="the program to measure")
    parser.add_argument("--data", required=True, type=pathlib.Path, help="the folder to fill, or to use again")
    parser.add_argument("--accounts", type=int, default=10_000)
    parser.add_argument("--records", type=int, default=500, help="records of each account")
    parser.add_argument("--cache-mb", type=int, default=64, help="FLOWTRAIL_CACHE_MB while asking")
    parser.add_argument("--reuse", action="store_true", help="ask what is there already")
    arguments = parser.parse_args()
    if not arguments.reuse:
        shutil.rmtree(arguments.data, ignore_errors=True)
        with Program(arguments, cache_mb=512) as program:
            began = time.monotonic()
            asyncio.run(fill(program, arguments))
            program.wait_for_all(arguments)
            print(f"filled {arguments.accounts * arguments.records:,} records in {time.monotonic() - began:.0f} s")
    with Program(arguments, arguments.cache_mb) as program:
        at_start = program.memory()
        times, checksum = [], hashlib.sha256()
        for number in range(arguments.accounts):
            began = time.perf_counter()
            body = program.newest_page(number)
            times.append(time.perf_counter() - began)
            total = json.loads(body)["total_records"]
            if total != arguments.records:
                raise SystemExit(f"account {number} has {total} records, not {arguments.records}")
            checksum.update(body)
        peak, held = program.memory()
        print(f"{arguments.accounts:,} accounts of {arguments.records} records, FLOWTRAIL_CACHE_MB={arguments.cache_mb}")
        print(f"memory: {at_start[1]} MiB at start, {held} MiB at the end, {peak} MiB at most")
        print(f"a first page: p50 {statistics.median(times) * 1e3:.2f} ms, p99 {sorted(times)[len(times) * 99 // 100] * 1e3:.2f} ms")
        print(f"answers: sha256 {checksum.hexdigest()}")


def name_of(number):
    return f"tenant-{number:05}"


def token_of(number):
    return f"bench-token-{number:05}"


def envelope(identity, kind, data):
    return {"specversion": "1.0", "id": identity, "source": "/bench", "type": kind, "time": "2026-01-31T12:00:00Z", "data": data}


def access_events(number):
    """What makes an account and a token that may read it."""
    name, by = name_of(number), {"id": "bench", "name": None, "email": None}
    account = envelope(f"account-{name}", "flowtrail.access.account.created.v1", {"name": name, "by": by})
    digest = hashlib.sha256(token_of(number).encode()).hexdigest()
    token = {"name": "bench", "hash": digest, "scopes": ["traffic:read"], "user_id": None, "expires_at": None, "by": by}
    yield f"flowtrail.v1.access.{name}.account.{name}", account
    yield f"flowtrail.v1.access.{name}.token.token-{number:05}", envelope(f"token-{name}", "flowtrail.access.token.created.v1", token)


def report(number, record):
    """A report as a gateway sends it, with texts that differ from record to record."""
    texts = {
        end: {"id": f"{end}-{record % 40}", "name": f"host-{record % 40}.{name_of(number)}", "address": f"10.{number % 250}.{record % 250}.{place}:{1024 + record}"}
        for place, end in enumerate(ENDS)
    }
    data = {
        "flow_id": f"flow-{record}", "type": "TYPE_START", "reporter_id": "gateway", "protocol": 6, "direction": "EGRESS", **texts,
        "user": {"id": f"u{record % 9}", "email": f"u{record % 9}@{name_of(number)}.example", "name": f"User {record % 9}"},
        "policy": {"id": f"p{record % 5}", "name": f"Policy {record % 5}"}, "rx_bytes": record * 1337, "tx_bytes": record * 7331,
    }
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(1_790_000_000 + record * 60 + number % 60))
    return {**envelope(f"report-{number}-{record}", "flowtrail.traffic.reported.v1", data), "time": at}


async def fill(program, arguments):
    client = await nats.connect(program.nats_url())
    jetstream = client.jetstream(publish_async_max_pending=256)
    single = {"Content-Type": "application/cloudevents+json"}
    batch = {"Content-Type": "application/cloudevents-batch+json"}
    under_way = []

    async def publish(subject, value, headers):
        under_way.append(await jetstream.publish_async(subject, json.dumps(value).encode(), headers=headers, wait_stall=60))
        if len(under_way) >= 200:
            await asyncio.gather(*under_way)
            under_way.clear()

    for number in range(arguments.accounts):
        for subject, event in access_events(number):
            await publish(subject, event, single)
        reports = [report(number, record) for record in range(arguments.records)]
        await publish(f"flowtrail.v1.traffic.{name_of(number)}.gateway", reports, batch)
    await asyncio.gather(*under_way)
    await client.close()


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Program:
    """The program under measurement, with a nats-server of its own, for as long as it is needed."""

    def __init__(self, arguments, cache_mb):
        self.data = arguments.data
        self.data.mkdir(parents=True, exist_ok=True)
        self.port, self.nats_port = free_port(), free_port()
        settings = {
            "FLOWTRAIL_LISTEN": f"127.0.0.1:{self.port}", "FLOWTRAIL_NATS_PORT": str(self.nats_port), "FLOWTRAIL_DATA_DIR": str(self.data),
            "FLOWTRAIL_CACHE_MB": str(cache_mb), "FLOWTRAIL_LOG": "warn", "FLOWTRAIL_RATE_ADDRESS": "0",
        }
        log = open(self.data / "bench.log", "w")
        self.process = subprocess.Popen([arguments.flowtrail, "up"], env={**os.environ, **settings}, stdout=log, stderr=log)
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)

    def __enter__(self):
        for _ in range(1200):
            if self.process.poll() is not None:
                raise SystemExit(f"the program ended; see {self.data / 'bench.log'}")
            try:
                if self.get("/readyz", None)[0] == 200:
                    return self
            except OSError:
                self.connection.close()
            time.sleep(0.25)
        raise SystemExit("the program is not ready after 300 s")

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=120)

    def get(self, path, token):
        self.connection.request("GET", path, headers={"Authorization": f"Bearer {token}"} if token else {})
        answer = self.connection.getresponse()
        return answer.status, answer.read()

    def newest_page(self, number):
        status, body = self.get("/api/events/network-traffic?page_size=50", token_of(number))
        if status != 200:
            raise SystemExit(f"account {number}: {status} {body[:300]!r}")
        return body

    def wait_for_all(self, arguments):
        """Until the last account has its last record, and with it all before."""
        # Idle since the start, it may have been closed by now.
        self.connection.close()
        for _ in range(2400):
            status, body = self.get("/api/events/network-traffic?page_size=1", token_of(arguments.accounts - 1))
            if status == 200 and json.loads(body)["total_records"] == arguments.records:
                return
            time.sleep(0.25)
        raise SystemExit("not all records are visible after 600 s")

    def nats_url(self):
        own = self.data / "nats.url"
        return own.read_text().strip() if own.exists() else f"nats://127.0.0.1:{self.nats_port}"

    def memory(self):
        """Peak and present memory of the process, in MiB."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return tuple(int(re.search(rf"{name}:\s+(\d+) kB", status)[1]) >> 10 for name in ("VmHWM", "VmRSS"))


if __name__ == "__main__":
    main()
