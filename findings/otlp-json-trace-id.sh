#!/bin/sh
# Where OTLP's JSON meets protobuf's JSON: a valid trace id is read as another one, and nothing is refused.
#
# Versions: opentelemetry-proto 1.45.2, protobuf 7.36.2 (PyPI).
# Behaviour: OTLP writes `traceId` and `spanId` in JSON as hexadecimal digits, protobuf's JSON mapping writes bytes in base64.
#   Hexadecimal digits are base64 too, and 32 and 16 of them need no padding: `json_format.Parse` of a valid OTLP request makes
#   a trace id of 24 bytes and a span id of 12. The other way, `MessageToJson` writes base64 where hexadecimal is due, and
#   the name of a severity where OTLP has its number.
# Output seen:
#   5b8efff798038103d269b633813fc60c is read as 24 bytes: e5bf1e7df7fbf7cd37f35d37776ebd6fadf7f35ddf73ad1c
#   eee19b7ec3c1b174 is read as 12 bytes: 79e7b5f5bede7377356f5ef8
#   the trace id is written as W47/95gDgQPSabYzgT/GDA==
#   the severity 9 is written as SEVERITY_NUMBER_INFO
set -eu
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/pip" install --quiet --disable-pip-version-check opentelemetry-proto==1.45.2 protobuf==7.36.2
cat > "$place/show.py" <<'PYTHON'
import json
from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

TRACE, SPAN = "5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174"
record = {"timeUnixNano": "1706702400000000000", "traceId": TRACE, "spanId": SPAN, "severityNumber": 9}
request = {"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}
read = json_format.Parse(json.dumps(request), ExportLogsServiceRequest()).resource_logs[0].scope_logs[0].log_records[0]
for text, value in [(TRACE, read.trace_id), (SPAN, read.span_id)]:
    print(f"{text} is read as {len(value)} bytes: {value.hex()}")
read.trace_id = bytes.fromhex(TRACE)
written = json_format.MessageToDict(read)
print(f"the trace id is written as {written['traceId']}")
print(f"the severity 9 is written as {written['severityNumber']}")
PYTHON
"$place/venv/bin/python" "$place/show.py" | tee "$place/seen"
sed -n 's/^#   \([0-9a-f]\{16,\} is read .*\|the .* is written as .*\)/\1/p' "$0" | diff - "$place/seen"
