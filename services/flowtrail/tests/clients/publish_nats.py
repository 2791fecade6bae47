"""Publishes over NATS in each CloudEvents form, as any Python service would, and times how soon REST shows the events.

    publish_nats.py --nats nats://127.0.0.1:4222 --url http://127.0.0.1:8080 --token ft_...

Fails when an event is not in its list within a second after the broker's acknowledgement.
"""

import asyncio
import json
import time
import uuid
from datetime import datetime, timezone

import nats

from facts import Http, arguments, broken, holds, moment, parsed, same, stamp

PATIENCE = 1.0


def main():
    parser = arguments(__doc__.splitlines()[0])
    parser.add_argument("--nats", default="nats://127.0.0.1:4222", help="where the broker answers")
    parser.add_argument("--creds", help="a NATS credentials file")
    parser.add_argument("--account", default="main", help="the account that the token belongs to")
    asyncio.run(publish_all(parsed(parser)))
    print("all facts hold")


async def publish_all(options):
    http = Http(options.url, options.token)
    run = uuid.uuid4().hex[:10]
    connection = await nats.connect(options.nats, user_credentials=options.creds, connect_timeout=5)
    try:
        log = connection.jetstream()
        await publish_family(log, http, Audit(run, f"flowtrail.v1.audit.{options.account}.example"))
        await publish_family(log, http, Traffic(run, f"flowtrail.v1.traffic.{options.account}.{run}-peer"))
    finally:
        await connection.close()


async def publish_family(log, http, family):
    for form in (structured, binary, batch):
        name = f"{family.name}, {form.__name__}"
        events = [family.event(f"{form.__name__}-{number}") for number in range(2 if form is batch else 1)]
        headers, payload = form(events)
        # The broker drops a message whose id it has seen, so a retry is safe; a batch has an id of its own.
        headers["Nats-Msg-Id"] = events[0]["id"] if len(events) == 1 else str(uuid.uuid4())
        acknowledged = await log.publish(family.subject, payload, headers=headers)
        since = time.monotonic()
        same(acknowledged.stream, family.stream, f"{name}: acknowledged by the stream {family.stream}")
        for event in events:
            await visible(http, family, event, since, name)
        again = await log.publish(family.subject, payload, headers=headers)
        holds(again.duplicate, f"{name}: the same message again is acknowledged as a duplicate")
        for event in events:
            same(len(family.found(http, event)), 1, f"{name}: {event['id']} is listed once")


async def visible(http, family, event, since, name):
    while True:
        found = family.found(http, event)
        took = time.monotonic() - since
        if found:
            break
        if took > PATIENCE:
            broken(f"{name}: {event['id']} is listed within {PATIENCE:.0f} s (waited {took:.2f} s)")
        await asyncio.sleep(0.01)
    holds(took <= PATIENCE, f"{name}: {event['id']} is listed {took * 1000:.0f} ms after the acknowledgement")
    family.compare(found[0], event, name)


# --- the three forms ---


def structured(events):
    return {"Content-Type": "application/cloudevents+json"}, json.dumps(events[0]).encode()


def binary(events):
    event = dict(events[0])
    payload = json.dumps(event.pop("data")).encode()
    content_type = event.pop("datacontenttype")
    return {"Content-Type": content_type, **{f"ce-{name}": value for name, value in event.items()}}, payload


def batch(events):
    return {"Content-Type": "application/cloudevents-batch+json"}, json.dumps(events).encode()


# --- the two families ---


class Family:
    def __init__(self, run, subject):
        self.run = run
        self.subject = subject

    def event(self, name):
        return {
            "specversion": "1.0",
            "id": f"{self.run}-{self.name}-{name}",
            "source": "urn:example:publish-nats",
            "type": self.type,
            "time": stamp(datetime.now(timezone.utc)),
            "datacontenttype": "application/json",
            "data": self.data(name),
        }


class Audit(Family):
    name = "audit"
    stream = "FLOWTRAIL_AUDIT"
    type = "flowtrail.audit.recorded.v1"

    def data(self, name):
        return {
            "event_type": "route.add",
            "actor_id": f"{self.run}-alice",
            "actor_name": "Alice Smith",
            "actor_email": "alice@example.com",
            "resource_type": "route",
            "resource_id": name,
            "meta": {"network_range": "10.64.0.0/24"},
        }

    def found(self, http, event):
        answer = ask(http, "/api/events/audit?limit=100")
        return [row for row in answer if row["id"] == event["id"]]

    def compare(self, row, event, name):
        data = event["data"]
        expected = {
            "activity_code": data["event_type"],
            "activity": "Route created",
            "initiator_id": data["actor_id"],
            "initiator_name": data["actor_name"],
            "initiator_email": data["actor_email"],
            "target_id": data["resource_id"],
            "meta": data["meta"],
        }
        same({key: row[key] for key in expected}, expected, f"{name}: {event['id']} has the values that were published")
        same(moment(row["timestamp"]), moment(event["time"]), f"{name}: {event['id']} has the time of its envelope")


class Traffic(Family):
    name = "traffic"
    stream = "FLOWTRAIL_TRAFFIC"
    type = "flowtrail.traffic.reported.v1"

    def data(self, name):
        return {
            "flow_id": f"{self.run}-{name}",
            "type": "TYPE_START",
            "source": {"id": f"{self.run}-peer", "type": "PEER", "name": "laptop", "address": "100.64.0.7:51000"},
            "destination": {"id": f"{self.run}-db", "type": "HOST_RESOURCE", "name": "db", "address": "10.1.2.3:5432"},
            "protocol": 6,
            "direction": "EGRESS",
        }

    def found(self, http, event):
        answer = ask(http, f"/api/events/network-traffic?reporter_id={self.run}-peer")
        return [row for row in answer["data"] if row["flow_id"] == event["data"]["flow_id"]]

    def compare(self, row, event, name):
        data = event["data"]
        expected = {"reporter_id": f"{self.run}-peer", "protocol": 6, "direction": "EGRESS"}
        for side in ("source", "destination"):
            given = data[side]
            same(
                {key: row[side][key] for key in given},
                given,
                f"{name}: the {side} of {event['id']} has the values that were published",
            )
        same({key: row[key] for key in expected}, expected, f"{name}: {event['id']} is its subject's reporter's")
        same(
            [(one["type"], moment(one["timestamp"])) for one in row["events"]],
            [("TYPE_START", moment(event["time"]))],
            f"{name}: {event['id']} began at the time of its envelope",
        )


def ask(http, path):
    status, answer = http.get(path)
    if status != 200:
        broken(f"GET {path} answers 200: {status} {answer}")
    return answer


if __name__ == "__main__":
    main()
