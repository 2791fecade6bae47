#!/bin/sh
# pyarrow 26.0.1: its reader of JSON takes an RFC 3339 time for a timestamp only without parts of a second. Whether a column
# is timestamp[s] or string so follows from the values of a file, and one value with a fraction makes all of them texts;
# files of one writer then do not fit together ("Schema at index 1 was different"). A schema that is given helps.
#
# Output seen:
#   2024-01-31T23:58:00Z                        timestamp[s]
#   2024-01-31T23:58:00.000000Z                 string
#   2024-01-31T23:58:00Z 2024-01-31T23:58:00.5Z string
#   told that it is timestamp[us, tz=UTC]       timestamp[us, tz=UTC]
#
# Exits with 1 when that changes.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: pyarrow==26.0.1
cat >"$folder/expected" <<'EXPECTED'
2024-01-31T23:58:00Z                        timestamp[s]
2024-01-31T23:58:00.000000Z                 string
2024-01-31T23:58:00Z 2024-01-31T23:58:00.5Z string
told that it is timestamp[us, tz=UTC]       timestamp[us, tz=UTC]
EXPECTED
"$folder/venv/bin/python" >"$folder/seen" <<'PROGRAM'
import io
import json

import pyarrow
import pyarrow.json


def type_of(times, **options):
    lines = "".join(json.dumps({"time": time}) + "\n" for time in times)
    return pyarrow.json.read_json(io.BytesIO(lines.encode()), **options).schema.field("time").type


whole, fraction = "2024-01-31T23:58:00Z", "2024-01-31T23:58:00.000000Z"
for times in [[whole], [fraction], [whole, "2024-01-31T23:58:00.5Z"]]:
    print(f"{' '.join(times):43} {type_of(times)}")
schema = pyarrow.schema([("time", pyarrow.timestamp("us", "UTC"))])
told = type_of([fraction], parse_options=pyarrow.json.ParseOptions(explicit_schema=schema))
print(f"{'told that it is timestamp[us, tz=UTC]':43} {told}")
PROGRAM
cat "$folder/seen"
diff "$folder/expected" "$folder/seen"
