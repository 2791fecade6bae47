#!/bin/sh
# JavaScript's `cloudevents` sends another time than the event says it has: the digits after the millisecond go on the way.
#
# Version: cloudevents 10.0.0 (npm), Node 20.20.2.
# Behaviour: `event.time` is the text that was given, microseconds and offset included. What `HTTP.structured` and
#   `HTTP.binary` write is `new Date(time).toISOString()`, which has milliseconds. An event that is read and sent on loses
#   its place among events of the same millisecond, though nothing on the object changed.
# Output seen:
#   the event says 2024-01-31T12:00:00.123456Z
#   structured is sent 2024-01-31T12:00:00.123Z
#   binary is sent 2024-01-31T12:00:00.123Z
set -eu
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
script=$(realpath "$0")
cd "$place"
npm install --silent --no-audit --no-fund cloudevents@10.0.0 > npm.log 2>&1
cat > show.mjs <<'JAVASCRIPT'
import { CloudEvent, HTTP } from "cloudevents";
const event = new CloudEvent({ id: "1", source: "/shop", type: "order.paid", time: "2024-01-31T12:00:00.123456Z", data: { n: 1 } });
console.log(`the event says ${event.time}`);
console.log(`structured is sent ${JSON.parse(HTTP.structured(event).body).time}`);
console.log(`binary is sent ${HTTP.binary(event).headers["ce-time"]}`);
JAVASCRIPT
node show.mjs | tee seen
sed -n 's/^#   \(the event says .*\|structured is .*\|binary is .*\)/\1/p' "$script" | diff - seen
