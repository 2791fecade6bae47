"""Sends events to Datadog with its own client: what its request looks like is what ours must look like.

datadog_logs.py URL API_KEY    Events stand on standard input, a JSON array of CloudEvents with their `position`.
datadog_logs.py sites          Prints where the client would send logs to, for every site that it knows, a line each.
"""

import json
import sys
from datetime import datetime

from datadog_api_client import ApiClient, Configuration
from datadog_api_client.v2.api.logs_api import LogsApi
from datadog_api_client.v2.model.content_encoding import ContentEncoding
from datadog_api_client.v2.model.http_log import HTTPLog
from datadog_api_client.v2.model.http_log_item import HTTPLogItem


def log(event):
    """The event as a person would send it with this client: Datadog's own names, then NetBird's, then all the rest."""
    data = dict(event["data"])
    kind = event["type"].split(".")[1]
    own = {
        "message": data.pop("activity"), "ddsource": "flowtrail", "service": "netbird", "hostname": event["source"],
        "ddtags": f"account:{event['account']},kind:{kind}",
        "timestamp": int(datetime.fromisoformat(event["time"].replace("Z", "+00:00")).timestamp() * 1000),
    }
    netbird = {
        "id": event["id"], "initiator_id": data.pop("actor_id"), "target_id": data.pop("resource_id"),
        "meta": {name: str(value) for name, value in data["meta"].items()}, "reference": data["correlation_id"],
    }
    more = {"account_id": event["account"], "kind": kind, "event_type": data.pop("event_type"), "position": event["position"], "index": 0}
    return HTTPLogItem(**own, **netbird, **more, event={**data, "source": event["source"]})


def send(url, api_key):
    configuration = Configuration(api_key={"apiKeyAuth": api_key})
    with ApiClient(configuration) as client:
        logs = LogsApi(client)
        # The intake is no server of the general configuration.
        logs._submit_log_endpoint.settings["servers"] = [{"url": url, "variables": {}}]
        logs.submit_log(HTTPLog([log(event) for event in json.load(sys.stdin)]), content_encoding=ContentEncoding.GZIP)


def sites():
    with ApiClient(Configuration()) as client:
        settings = LogsApi(client)._submit_log_endpoint.settings
        [server, *_] = settings["servers"]
        subdomain = server["variables"]["subdomain"]["default_value"]
        for site in server["variables"]["site"]["enum_values"]:
            print(site, server["url"].format(subdomain=subdomain, site=site) + settings["endpoint_path"])


if sys.argv[1] == "sites":
    sites()
else:
    send(*sys.argv[1:])
