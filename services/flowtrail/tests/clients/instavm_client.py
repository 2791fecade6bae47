"""Drives a running Flowtrail with InstaVM's own SDK and command line, unchanged, and compares with what was published.

    instavm_client.py --url http://127.0.0.1:8080 --token ft_...

It makes its own facts under names of its own, so it may run against an account that holds other events already.
"""

import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from datetime import datetime, timedelta, timezone

import requests
from instavm import InstaVM
from instavm.exceptions import AuthenticationError

from facts import Http, arguments, broken, eventually, fact, holds, moment, parsed, same, stamp

MEMBERS = (
    "id created_at user_id actor_type actor_id source event_group event_type status resource_type resource_id session_id"
    " vm_id task_id request_id correlation_id http_method path http_status latency_ms ip_address user_agent node_ip"
    " worker_id event_payload error_message"
).split()
PAGE = 200
PER_SECOND = 200
START = datetime(2024, 1, 1, tzinfo=timezone.utc)


def main():
    parser = arguments(__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=10_000, help="how many events to page through")
    options = parsed(parser)
    http = Http(options.url, options.token)
    documented(options)
    client = InstaVM(api_key=options.token, base_url=options.url, auto_start_session=False)
    run = "r" + uuid.uuid4().hex[:10]
    sdk(client, http, run, options.url)
    command_line(http, run, options)
    paging(client, http, run + "p", options.events)
    print("all facts hold")


def documented(options):
    """The example of the SDK's own documentation: making a client starts a session, in which nothing runs here."""
    client = InstaVM(api_key=options.token, base_url=options.url)
    holds(client.session_id, "making a client gets it a session")
    page = client.audit.events(limit=25, status="success")
    holds(isinstance(page["items"], list), "and the documented example lists audit events")
    holds(client.is_session_active() is False, "nothing runs in the session")
    holds(client.close_session(), "and it can be closed")


def sdk(client, http, run, url):
    published = {
        "id": f"{run}-whole", "time": stamp(START + timedelta(milliseconds=1)), "event_type": f"{run}.created",
        "source": "api", "status": "denied", "actor_type": "api_key", "actor_id": "key-1", "user_id": 7,
        "resource_type": "vm", "resource_id": "vm-1", "session_id": f"{run}-s", "vm_id": f"{run}-v", "task_id": 4,
        "request_id": "q", "correlation_id": "c", "http_method": "POST", "path": "/v1/vms", "http_status": 403,
        "latency_ms": 1.5, "ip_address": "192.0.2.1", "user_agent": "curl", "node_ip": "10.0.0.1", "worker_id": "w",
        "event_payload": {"n": 1, "list": [None, True]}, "error_message": "no",
    }
    bare = {"id": f"{run}-bare", "time": stamp(START), "event_type": f"{run}.deleted"}
    publish(http, [published, bare])
    visible(client, run, 2)

    event = client.audit.get_event(published["id"])
    expected = {**published, "event_group": run, "created_at": "2024-01-01T00:00:00.001000Z"}
    del expected["time"]
    same(event, expected, "an event has every member as it was published")
    same(list(event), MEMBERS, "the members come in the order of the API")
    unset = [name for name, value in client.audit.get_event(bare["id"]).items() if value is None]
    same(len(unset), 19, "what is not known is null")
    for name, value in [
        ("event_type", f"{run}.created"), ("status", "denied"), ("user_id", 7), ("vm_id", f"{run}-v"),
        ("session_id", f"{run}-s"),
    ]:
        page = client.audit.events(event_group=run, **{name: value})
        same([item["id"] for item in page["items"]], [published["id"]], f"{name} narrows the list")
        same(page["next_cursor"], None, "at its end, a list has no cursor")
    same(client.audit.events(event_group=run, user_id=10**30)["items"], [], "a user_id beyond 64 bits matches nothing")
    same(client.audit.catalog()["catalog"][run], [f"{run}.created", f"{run}.deleted"], "the catalog has the group")

    same(status(client.audit.get_event, "no/such?event"), 404, "an event that is not there is a 404")
    same(status(client.audit.events, limit=0), 422, "a limit of 0 is a 422")
    same(status(client.audit.events, cursor="!!"), 400, "a cursor that is none is a 400")
    stranger = InstaVM(api_key="ft_unknown", base_url=url, auto_start_session=False)
    try:
        stranger.audit.events()
        broken("an unknown key is refused")
    except AuthenticationError:
        fact("an unknown key is refused as the SDK expects it")


def paging(client, http, run, count):
    # Four of the same time each, so that the order by id counts too.
    events = [
        {"id": f"{run}-{n:06}", "time": stamp(START + timedelta(milliseconds=n // 4)), "event_type": f"{run}.paged"}
        for n in range(count)
    ]
    for start in range(0, count, 5_000):
        publish(http, events[start : start + 5_000])
    visible(client, run, 1)
    eventually(lambda: page_of(client, event_group=run, event_type=f"{run}.paged")["items"][0]["id"] == events[-1]["id"],
               "the events are listed", 30)
    for filters in ({"event_group": run}, {}):
        with Writer(http, run) as writer:
            seen, pages = pages_of(client, filters)
        mine = [item["id"] for item in seen if item["event_type"] == f"{run}.paged"]
        same(len(mine), count, f"{pages} pages of {filters or 'everything'} hold {count} events")
        holds(mine == [event["id"] for event in reversed(events)], "each once, newest first, equal times by id")
        ids = [item["id"] for item in seen]
        same(len(ids), len(set(ids)), "no event is repeated")
        rate = writer.written / writer.seconds
        holds(rate > PER_SECOND * 0.8, f"{writer.written} events were added in this time, {rate:.0f}/s")
        times = [(moment(item["created_at"]), item["id"]) for item in seen]
        holds(times == sorted(times, reverse=True), "the whole list is in order")


def pages_of(client, filters):
    seen, cursor, pages = [], None, 0
    while True:
        page = page_of(client, cursor=cursor, **filters)
        seen += page["items"]
        pages += 1
        cursor = page["next_cursor"]
        if cursor is None:
            return seen, pages
        # A reader that takes its time has more events added under it.
        time.sleep(0.05)


def page_of(client, **filters):
    return client.audit.events(limit=PAGE, **filters)


class Writer:
    """Adds events at a steady rate while it is entered: new ones, and late ones among those that are being read."""

    def __init__(self, http, run):
        self.http, self.run = http, run
        self.written, self.seconds = 0, 0.0
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.write)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()

    def write(self):
        begin = time.monotonic()
        while not self.stop.is_set():
            due = int((time.monotonic() - begin) * PER_SECOND) - self.written
            if due > 0:
                publish(self.http, [self.event() for _ in range(due)])
                self.written += due
            self.seconds = time.monotonic() - begin
            self.stop.wait(0.02)

    def event(self):
        late = uuid.uuid4().int % 2 == 0
        at = START + timedelta(milliseconds=uuid.uuid4().int % 2_500) if late else datetime.now(timezone.utc)
        return {"id": str(uuid.uuid4()), "time": stamp(at), "event_type": f"{self.run}.added"}


def command_line(http, run, options):
    with tempfile.TemporaryDirectory() as home:
        environment = {
            **os.environ, "HOME": home, "INSTAVM_API_KEY": options.token, "INSTAVM_BASE_URL": options.url, "NO_COLOR": "1",
        }
        program = str(pathlib.Path(sys.executable).with_name("instavm"))

        def said(*words):
            done = subprocess.run([program, *words], env=environment, capture_output=True, text=True, timeout=60)
            if done.returncode != 0:
                broken(f"instavm {' '.join(words)} succeeds: {done.stdout} {done.stderr}")
            return done.stdout

        event = documents(said("events", "get", f"{run}-whole", "--json"))[0]
        same(event["event_payload"], {"n": 1, "list": [None, True]}, "`events get` shows the event")
        holds("vm=" in said("audit", "get", f"{run}-whole"), "`audit get` shows it as a line")
        tail = documents(said("events", "tail", "--once", "--json", "--group", run, "--since", "2023-12-31T00:00:00Z"))
        same([item["id"] for item in tail], [f"{run}-bare", f"{run}-whole"], "`events tail --once` lists oldest first")
        for flag, value in [
            ("--status", "denied"), ("--vm", f"{run}-v"), ("--session", f"{run}-s"), ("--event", f"{run}.created"),
        ]:
            found = documents(said("events", "tail", "--once", "--json", "--group", run, flag, value))
            same([item["id"] for item in found], [f"{run}-whole"], f"`events tail {flag}` narrows the list")
        holds(f"{run}:\n  {run}.created\n  {run}.deleted\n" in said("events", "catalog"), "`events catalog` lists types")
        follow(http, run, [program, "events", "tail", "--json", "--group", run, "--interval", "1"], environment)


def follow(http, run, command, environment):
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    lines = []
    reading = threading.Thread(target=lambda: lines.extend(iter(process.stdout.readline, "")))
    reading.start()
    try:
        eventually(lambda: f"{run}-whole" in "".join(lines), "`events tail` shows what there is", 20)
        publish(http, [{"id": f"{run}-new", "time": stamp(datetime.now(timezone.utc)), "event_type": f"{run}.created"}])
        eventually(lambda: f"{run}-new" in "".join(lines), "`events tail` follows", 20)
        fact("`events tail` shows an event that is published while it follows")
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=20)
        reading.join()
    same(process.returncode, 0, "`events tail` ends well")


def documents(text):
    """The JSON documents in a text, one after the other."""
    found, decoder, text = [], json.JSONDecoder(), text.strip()
    while text:
        document, end = decoder.raw_decode(text)
        found.append(document)
        text = text[end:].lstrip()
    return found


def publish(http, events):
    code, answer = http.post("/api/events/audit", events)
    if code != 202:
        broken(f"{len(events)} events are taken: {code} {answer}")


def visible(client, group, count):
    eventually(lambda: len(client.audit.events(event_group=group, limit=PAGE)["items"]) >= count, "events are visible", 30)


def status(call, *args, **kwargs):
    try:
        return f"no refusal, but {call(*args, **kwargs)}"
    except requests.HTTPError as error:
        return error.response.status_code


if __name__ == "__main__":
    main()
