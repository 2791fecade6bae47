"""A webhook receiver that fails by chance in every way there is, and verifies each request with the reference library.

webhook_receiver.py PORT JOURNAL SEED SECRET TIMEOUTS GOOD

Each path is a receiver of its own. TIMEOUTS is how many requests of a path are left without an answer, 1 or more, evenly
spread over the first 10,000; GOOD how many meet no fault for each 70 that meet one. The journal has a line of JSON for each request:
    path        which receiver
    webhook_id  the id under which it came
    ids         the ids of its events, in order
    fault       what it met: "ok", "retry_after", "retry_date", "500", "timeout", "reset", "redirect" or "gone"
    after       how long after the moment that the answer before it had named it came, in seconds; negative: too early;
                null: nothing had been asked for
    verified    whether the library verifies the request, and does not verify it with one more space
"""

import json
import random
import select
import sys
import threading
import time
from email.utils import formatdate

from standardwebhooks import Webhook, WebhookVerificationError

from bad_day import Handler, Server

PORT, JOURNAL, SEED, SECRET, TIMEOUTS, GOOD = sys.argv[1:]
SILENT_EVERY = 10_000 // int(TIMEOUTS)
# What happens to a request, and how often.
FAULTS = {"ok": int(GOOD), "retry_after": 5, "retry_date": 3, "500": 25, "reset": 20, "redirect": 15, "gone": 2}
# A client gives up long before.
LONGEST_SILENCE = 120

chances = {}
seen = {}
# For each path, the moment from which on it may be asked again.
named = {}
lock = threading.Lock()
journal = open(JOURNAL, "a", buffering=1)


def is_verified(body, headers):
    webhook = Webhook(SECRET)
    try:
        webhook.verify(body, headers)
    except (WebhookVerificationError, json.JSONDecodeError):
        return False
    try:
        webhook.verify(body + b" ", headers)
    except WebhookVerificationError:
        return True
    return False


def fate(path):
    with lock:
        chance = chances.setdefault(path, random.Random(f"{SEED}{path}"))
        seen[path] = seen.get(path, 0) + 1
        if seen[path] % SILENT_EVERY == 7:
            return "timeout", None
        [fault] = chance.choices(list(FAULTS), FAULTS.values())
        return fault, chance.choice([1, 2]) if fault.startswith("retry") else None


class Receiver(Handler):
    def do_GET(self):
        """A client that follows a redirect comes with this, or with the same method."""
        self.do_POST()

    def do_POST(self):
        moment = named.pop(self.path, None)
        after = None if moment is None else time.monotonic() - moment
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        events = json.loads(body)
        ids = [event["ID"] for event in (events if isinstance(events, list) else [events])]
        fault, wait = fate(self.path)
        if any(id.startswith("flowtrail-test-") for id in ids):
            # What a receiver is made with is its only attempt.
            fault, wait = "ok", None
        line = {
            "path": self.path, "webhook_id": headers.get("webhook-id"), "ids": ids, "fault": fault, "after": after,
            "verified": is_verified(body, headers),
        }
        status, more = 200, {}
        if fault == "retry_after":
            named[self.path] = time.monotonic() + wait
            status, more = 429, {"Retry-After": str(wait)}
        elif fault == "retry_date":
            # A date has whole seconds, and names the moment from which on a request may come.
            until = int(time.time()) + 1 + wait
            named[self.path] = time.monotonic() + until - time.time()
            status, more = 429, {"Retry-After": formatdate(until, usegmt=True)}
        elif fault == "500":
            status = 500
        elif fault == "redirect":
            status, more = random.choice([301, 302, 303, 307, 308]), {"Location": "/elsewhere"}
        elif fault == "gone":
            status = 410
        elif fault == "timeout":
            # Readable without anything more: the client has closed the connection.
            select.select([self.connection], [], [], LONGEST_SILENCE)
        # Before the answer, so that the journal is complete as soon as the client goes on.
        with lock:
            journal.write(json.dumps(line) + "\n")
        if fault in ("timeout", "reset"):
            self.reset()
        else:
            self.answer(status, more)

    def answer(self, status, headers):
        try:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()
        except OSError:
            self.close_connection = True


Server(("127.0.0.1", int(PORT)), Receiver).serve_forever()
