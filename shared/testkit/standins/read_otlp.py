"""Reads logs in OTLP's JSON as its own definition says, strictly, and prints one line a record: what each says."""

import json
import sys

from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest


def plain(value):
    which = value.WhichOneof("value")
    if which == "kvlist_value":
        return {entry.key: plain(entry.value) for entry in value.kvlist_value.values}
    if which == "array_value":
        return [plain(entry) for entry in value.array_value.values]
    return None if which is None else getattr(value, which)


for request in json.load(sys.stdin):
    for resource in ParseDict(request, ExportLogsServiceRequest()).resource_logs:
        of = {entry.key: plain(entry.value) for entry in resource.resource.attributes}
        for scope in resource.scope_logs:
            for record in scope.log_records:
                attributes = {entry.key: plain(entry.value) for entry in record.attributes}
                print(json.dumps({
                    "time": record.time_unix_nano, "severity": [record.severity_number, record.severity_text],
                    "name": record.event_name, "body": plain(record.body), "attributes": attributes, "resource": of,
                }))
