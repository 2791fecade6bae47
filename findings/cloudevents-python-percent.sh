#!/bin/sh
# An event in headers means another thing to release 1 of Python's `cloudevents` than to release 2, and neither says so.
#
# Versions: cloudevents 1.13.0 and 2.2.0 (PyPI).
# Behaviour: CloudEvents' HTTP binding (3.1.3.2) has senders percent-encode a header's value and receivers decode it.
#   Release 2 does both. Release 1 does neither, whichever way: the subject `order 7` of a sender with release 2 is
#   `order%207` to a receiver with release 1, and the id `a%41` of a sender with release 1 is `aA` to one with release 2, so
#   that two ids can become one.
# Output seen:
#   2.2.0 to 1.13.0: 'order 7' is read as 'order%207'
#   1.13.0 to 2.2.0: 'a%41' is read as 'aA'
set -eu
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
for version in 1.13.0 2.2.0; do
    python3 -m venv "$place/$version"
    "$place/$version/bin/pip" install --quiet --disable-pip-version-check "cloudevents==$version"
done

cat > "$place/old.py" <<'PYTHON'
import json, sys
from cloudevents.conversion import to_binary
from cloudevents.http import CloudEvent, from_http

if sys.argv[1] == "send":
    headers, _ = to_binary(CloudEvent({"id": "a%41", "source": "/shop", "type": "order.paid"}, {"n": 1}))
    print(json.dumps(headers))
else:
    print(from_http(json.loads(sys.argv[2]), b'{"n": 1}')["subject"])
PYTHON
cat > "$place/new.py" <<'PYTHON'
import json, sys
from cloudevents.core.bindings.http import HTTPMessage, from_binary_event, to_binary_event
from cloudevents.core.v1.event import CloudEvent

if sys.argv[1] == "send":
    attributes = {"id": "1", "source": "/shop", "type": "order.paid", "specversion": "1.0", "subject": "order 7"}
    print(json.dumps(to_binary_event(CloudEvent(attributes, {"n": 1})).headers))
else:
    print(from_binary_event(HTTPMessage(json.loads(sys.argv[2]), b'{"n": 1}')).get_id())
PYTHON
old() { "$place/1.13.0/bin/python" -W ignore "$place/old.py" "$@"; }
new() { "$place/2.2.0/bin/python" "$place/new.py" "$@"; }
{
    echo "2.2.0 to 1.13.0: 'order 7' is read as '$(old read "$(new send)")'"
    echo "1.13.0 to 2.2.0: 'a%41' is read as '$(new read "$(old send)")'"
} | tee "$place/seen"
sed -n 's/^#   \([12][.0-9]* to .*\)/\1/p' "$0" | diff - "$place/seen"
