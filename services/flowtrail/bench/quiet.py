"""A quiet account beside a flooding one: how long its own requests take, alone and beside the flood.

Starts a Flowtrail of its own with two accounts, measures GETs and POSTs of the quiet one for a while, lets the other one publish
batches and search its log with as many connections as it is told, and measures the same again. The limits for each token
are those that an operator has by default; both come from one address, so there is no limit for that.
"""

import argparse
import http.client
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import threading
import time

from accounts import Program

LIST = "/flowtrail/v1/audit?limit=50"
SEARCH = "/flowtrail/v1/audit?limit=50&q=event-{}"
INGEST = "/api/events/audit"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--flowtrail", required=True, help="the program to measure")
    parser.add_argument("--data", required=True, type=pathlib.Path, help="the folder to use; what is in it goes")
    parser.add_argument("--seconds", type=float, default=20, help="how long each of the two is measured")
    parser.add_argument("--connections", type=int, default=16, help="connections of the account that floods")
    parser.add_argument("--batch", type=int, default=500, help="events in each request that it publishes")
    arguments = parser.parse_args()
    shutil.rmtree(arguments.data, ignore_errors=True)
    with Program(arguments, cache_mb=512) as program:
        quiet, noisy = (Account(arguments, program.port, name) for name in ("quiet", "noisy"))
        quiet.post(200)
        alone = measure(quiet, arguments.seconds)
        flood = Flood(noisy, arguments)
        beside = measure(quiet, arguments.seconds)
        sent, refused = flood.end()
    rate = sent / arguments.seconds
    print(f"the flood: {arguments.connections} connections, {rate:,.0f} requests/s, {refused} refused with 429 or 503")
    print("| the quiet account's | alone p50 | alone p99 | beside p50 | beside p99 | p99 grows by |")
    print("|---|---|---|---|---|---|")
    for what in ("GET", "POST"):
        (before, most_before), (after, most_after) = (quantiles(times[what]) for times in (alone, beside))
        factor = most_after / most_before
        print(f"| {what} | {before:.2f} ms | {most_before:.2f} ms | {after:.2f} ms | {most_after:.2f} ms | {factor:.1f} |")


class Account:
    """An account with a token, and a connection for the thread that has it."""

    def __init__(self, arguments, port, name):
        self.port, self.name, self.number = port, name, 0
        environment = {**os.environ, "FLOWTRAIL_DATA_DIR": str(arguments.data)}

        def run(*words):
            return subprocess.run([arguments.flowtrail, *words], env=environment, check=True, capture_output=True, text=True).stdout

        run("account", "create", name)
        self.token = run("token", "create", "--account", name, "--name", "bench", "--scopes", "audit:read,events:write").strip()
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)

    def again(self):
        """The same with a connection of its own."""
        other = object.__new__(Account)
        other.__dict__.update(self.__dict__)
        other.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        return other

    def request(self, method, path, body=None):
        self.connection.request(method, path, body, headers={"Authorization": f"Bearer {self.token}"})
        answer = self.connection.getresponse()
        answer.read()
        return answer.status

    def get(self, path):
        return self.request("GET", path)

    def post(self, events, source="bench"):
        self.number += 1
        names = (f"event-{self.number % 97}.{index % 31}" for index in range(events))
        body = [{"event_type": name, "actor_id": f"user-{self.number % 1009}", "source": source} for name in names]
        return self.request("POST", INGEST, json.dumps(body))


class Flood:
    """Requests of an account on many connections, until it is ended."""

    def __init__(self, account, arguments):
        self.ended, self.counts, self.lock = threading.Event(), [0, 0], threading.Lock()
        self.threads = [
            threading.Thread(target=self.run, args=(account.again(), arguments.batch, number % 4 == 3), daemon=True)
            for number in range(arguments.connections)
        ]
        for thread in self.threads:
            thread.start()

    def run(self, account, batch, searches):
        number = 0
        while not self.ended.is_set():
            number += 1
            status = account.get(SEARCH.format(number % 97)) if searches else account.post(batch)
            with self.lock:
                self.counts[0] += 1
                self.counts[1] += status in (429, 503)

    def end(self):
        self.ended.set()
        for thread in self.threads:
            thread.join()
        return self.counts


def measure(account, seconds):
    """Milliseconds of each request, one after the other, by method."""
    times, until = {"GET": [], "POST": []}, time.monotonic() + seconds
    while time.monotonic() < until:
        for what, ask, expected in (("GET", lambda: account.get(LIST), 200), ("POST", lambda: account.post(1), 202)):
            began = time.perf_counter()
            status = ask()
            times[what].append((time.perf_counter() - began) * 1e3)
            if status != expected:
                raise SystemExit(f"the quiet account is answered {status} to its {what}")
    return times


def quantiles(times):
    """Median and 99th percentile."""
    return statistics.median(times), sorted(times)[len(times) * 99 // 100]


if __name__ == "__main__":
    main()
