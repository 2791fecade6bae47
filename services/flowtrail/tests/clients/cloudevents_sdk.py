"""usage: cloudevents_sdk.py NATS_URL API_URL TOKEN

Publishes events as the Python SDK of CloudEvents makes them, of release 1 or 2, whichever is installed: in every mode, over
NATS and over HTTP. Prints the version of the SDK, then for each event a line with what it must be read back as.
"""

import asyncio
import http.client
import importlib.metadata
import json
import sys
import urllib.parse
from datetime import datetime, timezone

import nats

VERSION = importlib.metadata.version("cloudevents")
TIME = "2024-01-31T12:00:00.123456Z"
DATA = {"amount": 12.5, "count": 42, "names": ["Zoë", "😀"], "none": None, "empty": {}, "list": []}


def event(id, base64=False):
    """An event of another system; with its data as bytes, one of Flowtrail's own."""
    attributes = {"id": id, "source": "/shop", "type": "com.example.order.paid", "subject": "order 7", "time": TIME}
    data = DATA
    if base64:
        attributes["type"] = "flowtrail.audit.recorded.v1"
        data = json.dumps({"event_type": "order.paid", "resource_id": "order 7", "event_payload": DATA}).encode()
    if VERSION.startswith("1."):
        from cloudevents.http import CloudEvent

        return CloudEvent(attributes, data)
    from cloudevents.core.v1.event import CloudEvent

    attributes["time"] = datetime(2024, 1, 31, 12, 0, 0, 123456, tzinfo=timezone.utc)
    return CloudEvent({**attributes, "specversion": "1.0", "datacontenttype": "application/json"}, data)


def structured(event):
    if VERSION.startswith("1."):
        from cloudevents.http import to_structured

        return to_structured(event)
    from cloudevents.core.bindings.http import to_structured_event

    message = to_structured_event(event)
    return message.headers, message.body


def binary(event):
    if VERSION.startswith("1."):
        from cloudevents.http import to_binary

        return to_binary(event)
    from cloudevents.core.bindings.http import to_binary_event

    message = to_binary_event(event)
    return message.headers, message.body


def batch(*events):
    bodies = [structured(event)[1].decode() for event in events]
    return {"content-type": "application/cloudevents-batch+json"}, f"[{','.join(bodies)}]".encode()


def messages(transport):
    """Mode, ids, headers and body of each message."""
    name = lambda mode: f"python-{VERSION}-{transport}-{mode}"
    yield "structured", [name("structured")], *structured(event(name("structured")))
    yield "binary", [name("binary")], *binary(event(name("binary")))
    ids = [name("batch-1"), name("batch-2")]
    yield "batch", ids, *batch(*map(event, ids))
    yield "data_base64", [name("base64")], *structured(event(name("base64"), base64=True))


def tell(mode, transport, ids):
    for id in ids:
        kind = "order.paid" if mode == "data_base64" else "com.example.order.paid"
        expected = {"id": id, "created_at": TIME, "source": "/shop", "event_type": kind, "resource_id": "order 7", "event_payload": DATA}
        print(json.dumps({"mode": mode, "transport": transport, "expected": expected}))


async def over_nats(url):
    client = await nats.connect(url)
    for mode, ids, headers, body in messages("NATS"):
        await client.jetstream().publish("flowtrail.v1.audit.main.shop", body, headers=headers)
        tell(mode, "NATS", ids)
    await client.close()


def over_http(url, token):
    for mode, ids, headers, body in messages("HTTP"):
        connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc)
        connection.request("POST", "/api/events/audit", body, {**headers, "authorization": f"Token {token}"})
        answer = connection.getresponse()
        text = answer.read().decode()
        assert answer.status == 202, f"{mode}: {answer.status} {text}"
        tell(mode, "HTTP", ids)


def main(nats_url, api_url, token):
    print(json.dumps({"sdk": "Python `cloudevents`", "version": VERSION}))
    asyncio.run(over_nats(nats_url))
    over_http(api_url, token)


main(*sys.argv[1:])
