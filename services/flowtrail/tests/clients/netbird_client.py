"""Drives a running Flowtrail with NetBird's Python client, unchanged, and compares values with what was published.

    netbird_client.py --url http://127.0.0.1:8080 --token ft_...

It makes its own facts under names of its own, so it may run against an account that holds other events already.
Its integrations are switched on for a moment; they lead to a receiver of its own on 127.0.0.1, which Flowtrail must be
allowed to reach (FLOWTRAIL_EGRESS_ALLOW=127.0.0.0/8).
"""

import json
import threading
import uuid
import warnings
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from netbird import APIClient
from netbird.exceptions import (
    NetBirdAPIError,
    NetBirdAuthenticationError,
    NetBirdNotFoundError,
    NetBirdValidationError,
)
from netbird.models import AuditEvent
from netbird.models.cloud.event_streaming import (
    EventStreamingCreate,
    EventStreamingUpdate,
)

from facts import Http, arguments, broken, eventually, fact, holds, moment, parsed, same, stamp

AUDIT_KEYS = {
    "id",
    "timestamp",
    "activity",
    "activity_code",
    "initiator_id",
    "initiator_name",
    "initiator_email",
    "target_id",
    "meta",
}
TRAFFIC_KEYS = {
    "id",
    "flow_id",
    "reporter_id",
    "receive_timestamp",
    "source",
    "destination",
    "user",
    "policy",
    "icmp",
    "protocol",
    "direction",
    "rx_bytes",
    "rx_packets",
    "tx_bytes",
    "tx_packets",
    "num_of_starts",
    "num_of_ends",
    "num_of_drops",
    "window_start",
    "window_end",
    "events",
}
ENDPOINT_KEYS = {"id", "type", "name", "geo_location", "os", "address", "dns_label"}


def main():
    # The client warns that only NetBird's own cloud has event streaming.
    warnings.filterwarnings("ignore", message="Cloud endpoints are only available")
    options = parsed(arguments(__doc__.splitlines()[0]))
    refuses_strangers(options)
    for scheme in ("Token", "Bearer"):
        print(f"-- with the scheme {scheme}", flush=True)
        http = Http(options.url, options.token)
        with APIClient(host=options.url, api_token=options.token, auth_scheme=scheme) as client:
            audit(client, http)
            traffic(client, http)
            streaming(client)
    print("all facts hold")


def refuses_strangers(options):
    same(
        Http(options.url, None).get("/api/events/audit"),
        (401, {"message": "no valid authentication provided", "code": 401}),
        "without a token the answer is 401 with the text that the dashboard compares",
    )
    for scheme in ("Token", "Bearer"):
        with APIClient(host=options.url, api_token="ft_unknown", auth_scheme=scheme) as client:
            error = refused(NetBirdAuthenticationError, client.events.get_audit_events)
            same(error.message, "token invalid", f"an unknown token is refused by its text, as {scheme}")


# --- audit ---


def audit(client, http):
    run = uuid.uuid4().hex[:10]
    now = datetime.now(timezone.utc).replace(microsecond=0)
    published = [
        {
            "id": f"{run}-a{index}",
            "time": stamp(now - timedelta(seconds=10 - index, milliseconds=7)),
            "activity_code": code,
            "actor_id": f"{run}-alice",
            "actor_name": "Alice Smith",
            "actor_email": "alice@example.com",
            "resource_id": f"{run}-{target}",
            "meta": meta,
        }
        for index, (code, target, meta) in enumerate(
            [
                ("user.join", "alice", {}),
                ("peer.user.add", "laptop", {"name": "laptop", "ip": "100.64.0.7"}),
                ("policy.update", "default", {"rules": 3, "enabled": True}),
            ]
        )
    ]
    expected = [
        {
            "id": event["id"],
            "timestamp": moment(event["time"]),
            "activity": text,
            "activity_code": event["activity_code"],
            "initiator_id": event["actor_id"],
            "initiator_name": event["actor_name"],
            "initiator_email": event["actor_email"],
            "target_id": event["resource_id"],
            "meta": meta,
        }
        for event, text, meta in zip(
            published,
            ["User joined", "Peer added", "Policy updated"],
            [{}, {"name": "laptop", "ip": "100.64.0.7"}, {"rules": "3", "enabled": "true"}],
        )
    ]
    publish(http, "/api/events/audit", published)

    def listed():
        return [event for event in client.events.get_audit_events() if str(event["id"]).startswith(run)]

    mine, _ = eventually(lambda: len(listed()) == 3 and listed(), "the published audit events are listed")
    for event in mine:
        same(set(event), AUDIT_KEYS, f"audit event {event['activity_code']} has the nine members of NetBird's")
        AuditEvent(**event)
        event["timestamp"] = moment(event["timestamp"])
    same(mine, expected[::-1], "audit events are listed newest first, each with the values that were published")
    times = [moment(event["timestamp"]) for event in client.events.get_audit_events()]
    holds(times == sorted(times, reverse=True), "the whole audit list is ordered newest first")
    holds(len(times) <= 10_000, "the audit list holds at most 10,000 events")

    publish(http, "/api/events/audit", published)
    same(len(listed()), 3, "publishing the same audit events again changes nothing")
    status, answer = http.get(f"/api/events?initiator_id={run}-alice")
    same(
        (status, [event["id"] for event in answer]),
        (200, [event["id"] for event in expected[::-1]]),
        "/api/events is the same list, and takes initiator_id",
    )


# --- traffic ---


def traffic(client, http):
    run = uuid.uuid4().hex[:10]
    start = datetime.now(timezone.utc).replace(microsecond=0) - timedelta(hours=1)
    reports, records = traffic_facts(run, start)
    publish(http, "/api/events/network-traffic", reports)
    eventually(
        lambda: len(client.events.get_network_traffic_events(reporter_id=f"{run}-gateway", page_size=100)) == 2
        and len(client.events.get_network_traffic_events(search=run, page_size=100)) == len(records),
        "the published flows are listed",
    )

    def asked(**filters):
        """My flows among the answer, by name; all that comes with them is checked by the filter's own test."""
        found = client.events.get_network_traffic_events(page_size=50_000, **filters)
        mine = [record for record in found if record["flow_id"].startswith(run)]
        return found, [record["flow_id"].removeprefix(f"{run}-") for record in mine]

    everything, names = asked(search=run)
    same(names, ["summed", "dropped", "routed", "direct"], "flows are listed newest first, by their earliest event")
    for found, expected in zip(everything, records[::-1]):
        same_record(found, expected)

    def fits(filters, expected, test):
        shown = ", ".join(f"{name}={value}" for name, value in filters.items())
        found, names = asked(**filters)
        holds(all(test(record) for record in found), f"every flow in the answer to {shown} fits it")
        same(names, expected, f"{shown} lists exactly {', '.join(expected) or 'nothing'} of mine")

    fits({"user_id": f"{run}-alice"}, ["summed", "direct"], lambda r: r["user"]["id"] == f"{run}-alice")
    fits({"user_id": f"{run}-nobody"}, [], lambda r: False)
    fits({"reporter_id": f"{run}-gateway"}, ["summed", "routed"], lambda r: r["reporter_id"] == f"{run}-gateway")
    fits({"protocol": "6"}, ["summed", "direct"], lambda r: r["protocol"] == 6)
    fits({"protocol": "17"}, ["routed"], lambda r: r["protocol"] == 17)
    fits({"protocol": "1"}, ["dropped"], lambda r: r["protocol"] == 1)
    # What a reporter only counts happened too.
    for event_type, counter, expected in [
        ("TYPE_START", "num_of_starts", ["summed", "routed", "direct"]),
        ("TYPE_END", "num_of_ends", ["summed", "direct"]),
        ("TYPE_DROP", "num_of_drops", ["summed", "dropped"]),
        ("TYPE_UNKNOWN", None, ["summed"]),
    ]:
        fits(
            {"event_type": event_type},
            expected,
            lambda r: event_type in [event["type"] for event in r["events"]] or (counter and r[counter] > 0),
        )
    fits({"connection_type": "P2P"}, ["dropped", "direct"], reporter_is_endpoint)
    fits({"connection_type": "ROUTED"}, ["summed", "routed"], lambda r: not reporter_is_endpoint(r))
    for direction, expected in [
        ("INGRESS", ["dropped"]),
        ("EGRESS", ["routed", "direct"]),
        ("DIRECTION_UNKNOWN", ["summed"]),
    ]:
        fits({"direction": direction}, expected, lambda r: r["direction"] == direction)

    # search: part of the user's email, of the endpoints' names and addresses; any case; nothing is a wildcard.
    for text, expected in [
        (f"ALICE@{run}", ["summed", "direct"]),
        (f"db.{run}", ["routed"]),
        (f"DB.{run}.INTERNAL", ["routed"]),
        (f"{run} laptop", ["dropped", "routed", "direct"]),
        (f"{run}%", []),
        (f"{run}_laptop", []),
        (f"{run}-direct", []),
    ]:
        fits({"search": text}, expected, lambda r: text.lower() in searched(r))
    fits({"search": "[fd00::7]:44", "reporter_id": f"{run}-gateway"}, ["summed"], lambda r: True)

    # Both ends of a time range are inside it; the record's time is its earliest event's.
    times = {name: start + offset for name, offset in TIMES.items()}
    end = stamp(times["routed"])
    fits({"search": run, "start_date": end}, ["summed", "dropped", "routed"], lambda r: True)
    fits({"search": run, "end_date": end}, ["routed", "direct"], lambda r: True)
    fits({"search": run, "start_date": end, "end_date": end}, ["routed"], lambda r: True)
    past = stamp(times["routed"] + timedelta(milliseconds=1))
    fits({"search": run, "start_date": past}, ["summed", "dropped"], lambda r: True)
    seconds = times["direct"].strftime("%Y-%m-%dT%H:%M:%SZ")
    fits({"search": run, "start_date": seconds, "end_date": seconds}, ["direct"], lambda r: True)

    fits(
        {"search": run, "protocol": "6", "direction": "EGRESS", "event_type": "TYPE_END", "connection_type": "P2P"},
        ["direct"],
        lambda r: True,
    )

    for parameter, endpoint, expected in [
        ("source_id", f"{run}-laptop", ["routed", "direct"]),
        ("destination_id", f"{run}-laptop", ["dropped"]),
        ("destination_id", f"{run}-web", ["summed"]),
    ]:
        answer = client.get("events/network-traffic", params={parameter: endpoint})
        found = [record["flow_id"].removeprefix(f"{run}-") for record in answer["data"]]
        same(found, expected, f"{parameter}={endpoint.removeprefix(run)} lists {', '.join(expected)}")

    pages(client, run)
    publish(http, "/api/events/network-traffic", reports[::-1])
    same(asked(search=run)[0], everything, "publishing the same reports again, in another order, changes nothing")
    for name, value in [
        ("page", 0),
        ("page_size", 0),
        ("page_size", 50_001),
        ("protocol", "tcp"),
        ("event_type", "TYPE_BEGIN"),
        ("connection_type", "RELAY"),
        ("direction", "SENT"),
        ("start_date", "yesterday"),
        ("end_date", "2026-13-01T00:00:00Z"),
    ]:
        error = refused(NetBirdValidationError, client.events.get_network_traffic_events, **{name: value})
        sent = "type" if name == "event_type" else name
        same((error.status_code, sent in error.message), (400, True), f"{sent}={value} is a 400 that names {sent}")


def pages(client, run):
    seen = []
    for page in (1, 2, 3):
        answer = client.get("events/network-traffic", params={"search": run, "page": page, "page_size": 3})
        seen.append([record["flow_id"].removeprefix(f"{run}-") for record in answer.pop("data")])
        same(
            answer,
            {"page": page, "page_size": 3, "total_records": 4, "total_pages": 2},
            f"page {page} of 3 states the exact totals",
        )
    same(seen, [["summed", "dropped", "routed"], ["direct"], []], "pages follow one another without a gap")
    by_client = client.events.get_network_traffic_events(search=run, page=2, page_size=3)
    same([record["flow_id"] for record in by_client], [f"{run}-direct"], "the client's own paging reads the same page")
    default = client.get("events/network-traffic", params={"search": run})
    same((default["page"], default["page_size"]), (1, 1000), "the default is page 1 of 1000")


# When each flow began, after the start of the run; with a fraction where nothing needs a whole second.
TIMES = {
    "direct": timedelta(seconds=0),
    "routed": timedelta(seconds=60, milliseconds=125),
    "dropped": timedelta(seconds=120, microseconds=250),
    "summed": timedelta(seconds=180),
}


def traffic_facts(run, start):
    """Reports of four flows, and the records that they make, oldest first."""
    time = {name: stamp(start + offset) for name, offset in TIMES.items()}
    ended = stamp(start + timedelta(seconds=30, milliseconds=500))
    window_end = stamp(start + timedelta(seconds=240))
    laptop = endpoint(f"{run}-laptop", "PEER", f"{run} laptop", "100.64.0.7:51000", "macOS", "laptop.netbird.cloud", "Berlin", "DE")
    phone = endpoint(f"{run}-phone", "PEER", f"{run} phone", "100.64.0.9:443", "Android", "phone.netbird.cloud", "Madrid", "ES")
    database = endpoint(f"{run}-db", "HOST_RESOURCE", f"db.{run}.internal", "10.1.2.3:5432", None, None, "", "")
    ipv6 = endpoint(f"{run}-v6", "SUBNET_RESOURCE", f"{run} subnet", "[fd00::7]:44321", None, None, "", "")
    web = endpoint(f"{run}-web", "DOMAIN_RESOURCE", f"{run} web", "[2001:db8::80]:443", None, "*.example.com", "", "")
    alice = {"id": f"{run}-alice", "email": f"alice@{run}.example", "name": "Alice Smith"}
    bob = {"id": f"{run}-bob", "email": f"bob@{run}.example", "name": "Bob Jones"}
    nobody = {"id": "", "email": "", "name": ""}
    policy = {"id": f"{run}-policy", "name": "All to All"}
    no_policy = {"id": "", "name": ""}
    no_icmp = {"type": 0, "code": 0}

    direct = {
        "flow_id": f"{run}-direct",
        "reporter_id": f"{run}-laptop",
        "source": laptop,
        "destination": phone,
        "user": alice,
        "policy": policy,
        "protocol": 6,
        "direction": "EGRESS",
    }
    counters = {"rx_bytes": 5_000_000_000, "rx_packets": 40, "tx_bytes": 1234, "tx_packets": 5}
    routed = {
        "flow_id": f"{run}-routed",
        "reporter_id": f"{run}-gateway",
        "source": laptop,
        "destination": database,
        "user": bob,
        "protocol": 17,
        "direction": "EGRESS",
    }
    dropped = {
        "flow_id": f"{run}-dropped",
        "reporter_id": f"{run}-laptop",
        "source": phone,
        "destination": laptop,
        "protocol": 1,
        "icmp": {"type": 8, "code": 3},
        "direction": "INGRESS",
        "rx_bytes": 84,
        "rx_packets": 1,
    }
    summed = {
        "flow_id": f"{run}-summed",
        "reporter_id": f"{run}-gateway",
        "source": ipv6,
        "destination": web,
        "user": alice,
        "protocol": 6,
        "direction": "DIRECTION_UNKNOWN",
        "num_of_starts": 3,
        "num_of_ends": 4,
        "num_of_drops": 5,
        "window_start": time["summed"],
        "window_end": window_end,
        "tx_bytes": 77,
    }
    reports = [
        {"id": f"{run}-r1", "time": time["direct"], "type": "TYPE_START", **direct},
        {"id": f"{run}-r2", "time": ended, "type": "TYPE_END", **direct, **counters},
        {"id": f"{run}-r3", "time": time["routed"], "type": "TYPE_START", **routed},
        {"id": f"{run}-r4", "time": time["dropped"], "type": "TYPE_DROP", **dropped},
        {"id": f"{run}-r5", "time": time["summed"], "type": "TYPE_UNKNOWN", **summed},
    ]
    zero = dict.fromkeys(["rx_bytes", "rx_packets", "tx_bytes", "tx_packets"], 0)
    zero |= dict.fromkeys(["num_of_starts", "num_of_ends", "num_of_drops"], 0)
    empty = {"user": nobody, "policy": no_policy, "icmp": no_icmp, **zero}
    records = [
        {
            **empty,
            **direct,
            **counters,
            "num_of_starts": 1,
            "num_of_ends": 1,
            "events": [("TYPE_START", time["direct"]), ("TYPE_END", ended)],
        },
        {**empty, **routed, "num_of_starts": 1, "events": [("TYPE_START", time["routed"])]},
        {**empty, **dropped, "num_of_drops": 1, "events": [("TYPE_DROP", time["dropped"])]},
        {**empty, **summed, "events": [("TYPE_UNKNOWN", time["summed"])]},
    ]
    return reports, records


def endpoint(id, type, name, address, os, dns_label, city, country):
    return {
        "id": id,
        "type": type,
        "name": name,
        "geo_location": {"city_name": city, "country_code": country},
        "os": os,
        "address": address,
        "dns_label": dns_label,
    }


def same_record(found, expected):
    name = expected["flow_id"].rpartition("-")[2]
    same(set(found), TRAFFIC_KEYS, f"flow {name} has all members of NetBird's")
    for side in ("source", "destination"):
        same(set(found[side]), ENDPOINT_KEYS, f"the {side} of flow {name} has all members of NetBird's")
    holds(isinstance(found["id"], str) and found["id"], f"flow {name} has an id of text")
    for key in ("receive_timestamp", "window_start", "window_end"):
        moment(found[key])
    events = [(event["type"], moment(event["timestamp"])) for event in found["events"]]
    same(
        events,
        [(type, moment(time)) for type, time in expected["events"]],
        f"flow {name} has the events that were reported, in order of time",
    )
    for key in sorted(set(expected) - {"events"}):
        value = found[key]
        wanted = expected[key]
        if key.startswith("window_"):
            value, wanted = moment(value), moment(wanted)
        elif key in ("source", "destination"):
            # What is not known may be null or empty; the schema allows both for these two.
            value, wanted = ({**end, "os": end["os"] or "", "dns_label": end["dns_label"] or ""} for end in (value, wanted))
        if value != wanted:
            same(value, wanted, f"flow {name} has the {key} that was reported")
    fact(f"flow {name} has every value that was reported")


def reporter_is_endpoint(record):
    return record["reporter_id"] in (record["source"]["id"], record["destination"]["id"])


def searched(record):
    ends = (record["source"], record["destination"])
    return "\n".join([record["user"]["email"], *(end["name"] for end in ends), *(end["address"] for end in ends)]).lower()


# --- event streaming ---

class Receiver(BaseHTTPRequestHandler):
    """Takes whatever it is sent."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    do_PUT = do_POST

    def log_message(self, *_):
        pass


def receiver():
    """The URL of a receiver that ends with this program."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_address[1]}"


def platforms(url):
    """Per platform: the config, the secrets in it, and a change to it."""
    return {
        "datadog": (
            {"api_key": "secret-datadog-key", "api_url": f"{url}/api/v2/logs"},
            {"api_key"},
            {"api_url": f"{url}/eu/api/v2/logs"},
        ),
        "s3": (
            {
                "access_key": "AKIAEXAMPLE",
                "secret_key": "secret-s3-key",
                "bucket_name": "audit-logs",
                "region": "eu-central-1",
                "endpoint": url,
            },
            {"secret_key"},
            {"region": "us-east-1"},
        ),
        "firehose": (
            {
                "access_key_id": "AKIAEXAMPLE",
                "secret_access_key": "secret-firehose-key",
                "stream_name": "audit",
                "region": "eu-central-1",
                "endpoint": url,
            },
            {"secret_access_key"},
            {"stream_name": "audit-2"},
        ),
        "generic_http": (
            {
                "url": f"{url}/hook",
                "headers": '{"Authorization":"Basic secret-header-value","X-Team":"secret-team"}',
                "body_template": '{"text":"{{ .Message }}"}',
            },
            {"headers"},
            {"body_template": '{"message":"{{ .Message }}"}'},
        ),
    }


def streaming(client):
    last_id = 0
    for platform, values in platforms(receiver()).items():
        last_id = one_integration(client, platform, values, last_id)
    for config, platform, named in [
        ({"api_key": "k"}, "splunk", "platform"),
        ({"api_url": "https://http-intake.logs.datadoghq.com/api/v2/logs"}, "datadog", "api_key"),
        ({"access_key": "a", "secret_key": "b", "region": "eu-central-1"}, "s3", "bucket_name"),
        ({"url": "not a url"}, "generic_http", "url"),
        ({"url": "https://example.com/", "colour": "red"}, "generic_http", "colour"),
    ]:
        before = client.cloud.event_streaming.list()
        wanted = EventStreamingCreate(platform=platform, config=config, enabled=False)
        error = refused(NetBirdValidationError, client.cloud.event_streaming.create, wanted)
        same((error.status_code, named in error.message), (400, True), f"a {platform} with a bad {named} is a 400 naming it")
        same(client.cloud.event_streaming.list(), before, f"nothing of the refused {platform} is kept")


def one_integration(client, platform, values, last_id):
    resource = client.cloud.event_streaming
    config, secrets, change = values
    made = resource.create(EventStreamingCreate(platform=platform, config=config, enabled=False))
    number = made["id"]
    holds(type(number) is int and number > last_id, f"{platform}: the id is a whole number greater than any before")
    same((made["platform"], made["enabled"]), (platform, False), f"{platform}: created, disabled")
    holds(isinstance(made["account_id"], str) and made["account_id"], f"{platform}: states its account")
    holds(
        moment(made["created_at"]) <= moment(made["updated_at"]) <= datetime.now(timezone.utc) + timedelta(minutes=1),
        f"{platform}: states when it was created and updated",
    )
    same_config(made["config"], config, secrets, f"{platform} as created")
    same(resource.get(number), made, f"{platform}: get answers what create answered")
    same([one for one in resource.list() if one["id"] == number], [made], f"{platform}: the list has it once")
    same(
        client.get(f"integrations/event-streaming/{number}"), made, f"{platform}: the dashboard's path answers the same"
    )

    config = {**config, **change}
    changed = resource.update(number, EventStreamingUpdate(config=change))
    same_config(changed["config"], config, secrets, f"{platform} with a changed {', '.join(change)}")
    same(changed["enabled"], False, f"{platform}: a change of the config leaves it disabled")
    # The dashboard's switch sends the masked config back.
    switched = resource.update(number, EventStreamingUpdate(config=changed["config"], enabled=True))
    same((switched["enabled"], switched["config"]), (True, changed["config"]), f"{platform}: switched on, config kept")
    switched = resource.update(number, EventStreamingUpdate(enabled=False))
    same((switched["enabled"], switched["config"]), (False, changed["config"]), f"{platform}: switched off, config kept")
    same(switched["created_at"], made["created_at"], f"{platform}: a change keeps created_at")
    holds(moment(switched["updated_at"]) >= moment(made["updated_at"]), f"{platform}: a change moves updated_at on")
    same(resource.get(number), switched, f"{platform}: get answers the last change")

    resource.delete(number)
    fact(f"{platform}: deleted")
    for what, call in [
        ("get", lambda: resource.get(number)),
        ("update", lambda: resource.update(number, EventStreamingUpdate(enabled=True))),
        ("delete", lambda: resource.delete(number)),
    ]:
        error = refused(NetBirdNotFoundError, call)
        same(error.response_data.get("code"), 404, f"{platform}: {what} of what was deleted is a 404")
    same([one for one in resource.list() if one["id"] == number], [], f"{platform}: the list no longer has it")
    leaves_a_trail(client, platform, number)
    return number


def same_config(found, config, secrets, what):
    holds("secret-" not in json.dumps(found), f"{what}: no secret is in the answer")
    same(set(found), set(config), f"{what}: the config has the keys that were sent")
    for key, value in config.items():
        if key == "headers":
            masked = json.loads(found[key])
            same(set(masked), set(json.loads(value)), f"{what}: the headers keep their names")
            holds(all(text.endswith("****") for text in masked.values()), f"{what}: the headers' values are ****")
        elif key == "url":
            origin = value[: -len("/hook")]
            same(found[key], f"{origin}/****", f"{what}: of the url, what is behind the host is ****")
        elif key in secrets:
            same(found[key], "****", f"{what}: {key} is ****")
        else:
            same(found[key], value, f"{what}: {key} is as sent")


def leaves_a_trail(client, platform, number):
    target = f"event_streaming:{number}"

    def trail():
        return [event for event in client.events.get_audit_events() if event["target_id"] == target]

    eventually(
        lambda: "integration.delete" in [event["activity_code"] for event in trail()],
        f"{platform}: its end is in the audit log",
    )
    same(
        [event["activity_code"] for event in trail()],
        ["integration.delete", *["integration.update"] * 3, "integration.create"],
        f"{platform}: the audit log says what was done to it",
    )
    same({event["meta"].get("platform") for event in trail()}, {platform}, f"{platform}: and names the platform")
    holds(all(event["initiator_id"] for event in trail()), f"{platform}: and who did it")


# --- helpers ---


def publish(http, path, events):
    status, answer = http.post(path, events)
    if status != 202:
        broken(f"POST {path} takes {len(events)} events: {status} {answer}")
    same(answer["accepted"], len(events), f"POST {path} takes {len(events)} events")


def refused(kind, call, *args, **kwargs):
    try:
        answer = call(*args, **kwargs)
    except NetBirdAPIError as error:
        if type(error) is not kind:
            broken(f"expected a {kind.__name__}, found {type(error).__name__}: {error.status_code} {error.message}")
        return error
    broken(f"expected a {kind.__name__}, found the answer {answer}")


if __name__ == "__main__":
    main()
