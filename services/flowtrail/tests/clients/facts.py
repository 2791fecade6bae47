"""What the client programs share: facts that are checked and printed, plain HTTP, patience."""

import argparse
import json
import os
import sys
import time
import urllib.error
import urllib.request
from datetime import datetime, timedelta, timezone


def arguments(description):
    """A parser with the arguments that every program takes."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--url", default="http://127.0.0.1:8080", help="where Flowtrail answers")
    parser.add_argument(
        "--token", default=os.environ.get("FLOWTRAIL_BOOTSTRAP_TOKEN"), help="a token of the account, with all scopes"
    )
    return parser


def parsed(parser):
    options = parser.parse_args()
    options.url = options.url.rstrip("/")
    if not options.token:
        parser.error("--token is missing")
    return options


def fact(statement):
    """Says that something was checked and holds."""
    print(f"ok: {statement}", flush=True)


def broken(statement):
    """Ends the program with what does not hold."""
    sys.stdout.flush()
    sys.exit(f"BROKEN: {statement}")


def holds(condition, statement):
    """Checks one fact."""
    if not condition:
        broken(statement)
    fact(statement)


def same(found, expected, statement):
    """Checks that a value is the expected one."""
    if found != expected:
        broken(f"{statement}\n  expected: {shown(expected)}\n  found:    {shown(found)}")
    fact(statement)


def shown(value):
    return json.dumps(value, sort_keys=True, default=str)


def moment(text):
    """The instant that an RFC 3339 text in UTC names, to the microsecond."""
    if not text.endswith("Z"):
        broken(f"times end in Z, found {text}")
    whole, _, fraction = text[:-1].partition(".")
    seconds = datetime.strptime(whole, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)
    return seconds + timedelta(microseconds=int(fraction[:6].ljust(6, "0")))


def stamp(time):
    """The RFC 3339 text of an instant in UTC."""
    return time.isoformat().replace("+00:00", "Z")


class Http:
    """Requests without any client library, for what the libraries do not offer."""

    def __init__(self, url, token):
        self.url = url
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}

    def get(self, path):
        return self.ask("GET", path)

    def post(self, path, body):
        return self.ask("POST", path, body)

    def ask(self, method, path, body=None):
        """The status and the JSON body of the answer, whatever the status."""
        headers = dict(self.headers)
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        request = urllib.request.Request(self.url + path, data=data, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return response.status, read(response)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, read(error)
        except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
            broken(f"{method} {self.url}{path} is answered ({error})")


def read(response):
    text = response.read().decode("utf-8", "replace")
    try:
        return json.loads(text) if text else None
    except ValueError:
        return text


def eventually(question, statement, patience=10.0, pause=0.02):
    """Asks until the answer is true, and returns it with the seconds that it took."""
    start = time.monotonic()
    while True:
        answer = question()
        took = time.monotonic() - start
        if answer:
            return answer, took
        if took > patience:
            broken(f"{statement} (waited {took:.1f} s)")
        time.sleep(pause)
