#!/bin/sh
# zat reads what Zeek did not measure as zero, and times as those of the machine that reads.
#
# Version: zat 0.4.9 (PyPI).
# Behaviour: `-` is Zeek's mark for a field that is not set; a connection without `orig_bytes` was not measured, which is not
#   the same as one of 0 bytes. `ZeekLogReader` gives 0, no time at all and False for them, as for fields that hold these
#   values; only texts stay `-`. `ts`, seconds since 1970, becomes a datetime without zone in local time: the same file read
#   in New York and in Berlin gives other times.
# Output seen:
#   not set: orig_bytes 0, duration 0:00:00, local_orig False, service -
#   set: orig_bytes 0, duration 0:00:00, local_orig False, service http
#   read in UTC: 2024-01-31T12:00:00, zone None
#   read in America/New_York: 2024-01-31T07:00:00, zone None
set -eu
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/pip" install --quiet --disable-pip-version-check zat==0.4.9
cat > "$place/show.py" <<'PYTHON'
import contextlib, io, os, sys, tempfile, time
from zat.zeek_log_reader import ZeekLogReader

FIELDS = "ts uid id.orig_h id.orig_p id.resp_h id.resp_p proto service duration orig_bytes local_orig"
TYPES = "time string addr port addr port enum string interval count bool"
ROWS = ["1706702400.0 C1 10.0.0.1 1 10.0.0.2 80 tcp - - - -", "1706702400.0 C2 10.0.0.1 1 10.0.0.2 80 tcp http 0.0 0 F"]
head = ["#separator \\x09", "#set_separator\t,", "#empty_field\t(empty)", "#unset_field\t-", "#path\tconn"]
lines = [*head, *(f"#{name}\t" + "\t".join(text.split()) for name, text in [("fields", FIELDS), ("types", TYPES)])]
with tempfile.NamedTemporaryFile("w", suffix=".log") as log:
    log.write("\n".join([*lines, *("\t".join(row.split()) for row in ROWS)]) + "\n")
    log.flush()

    def read(zone):
        os.environ["TZ"] = zone
        time.tzset()
        with contextlib.redirect_stdout(io.StringIO()):
            return list(ZeekLogReader(log.name).readrows())

    for name, row in zip(["not set", "set"], read("UTC")):
        print(f"{name}: orig_bytes {row['orig_bytes']}, duration {row['duration']}, local_orig {row['local_orig']}, service {row['service']}")
    for zone in ["UTC", "America/New_York"]:
        moment = read(zone)[0]["ts"]
        print(f"read in {zone}: {moment.isoformat()}, zone {moment.tzinfo}")
PYTHON
"$place/venv/bin/python" "$place/show.py" | tee "$place/seen"
sed -n 's/^#   \(\(not \)\{0,1\}set: .*\|read in [A-Z].*: .*\)/\1/p' "$0" | diff - "$place/seen"
