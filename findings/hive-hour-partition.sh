#!/bin/sh
# The hour of a folder `hr=09` is a text to DuckDB and a number to ClickHouse, so that no comparison of hours suits both.
#
# Versions: duckdb 2.0.1, chdb 4.4.0 (PyPI; ClickHouse in a process).
# Behaviour: both take the columns `dt` and `hr` from the names of folders. Of `hr=09` and `hr=10`, DuckDB makes texts, as
#   one of them begins with a zero, and refuses to compare them with numbers; without that folder, `hr` is a number there too.
#   So a query over the hours of an afternoon works, and fails once a morning is among them. ClickHouse makes numbers of both.
# Output seen:
#   hours 09 and 10: DuckDB VARCHAR, ClickHouse Int64
#   hours 10 and 11: DuckDB BIGINT, ClickHouse Int64
#   hours 09 and 10, hr < 11: DuckDB refuses, ClickHouse 2
#   hours 10 and 11, hr < 11: DuckDB 1, ClickHouse 1
set -eu
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/pip" install --quiet --disable-pip-version-check duckdb==2.0.1 chdb==4.4.0
cat > "$place/show.py" <<'PYTHON'
import os, sys
import chdb, duckdb

def lake(*hours):
    root = os.path.join(sys.argv[1], "-".join(hours))
    for hour in hours:
        folder = os.path.join(root, "dt=2024-01-31", f"hr={hour}")
        os.makedirs(folder)
        with open(os.path.join(folder, "a.ndjson"), "w") as file:
            file.write('{"id":"1"}\n')
    return os.path.join(root, "**", "*.ndjson")

def in_duckdb(what, files, where=""):
    try:
        return duckdb.connect().execute(f"SELECT {what} FROM read_json('{files}', hive_partitioning = true) {where}").fetchall()[0][0]
    except duckdb.BinderException:
        return "refuses"

def in_clickhouse(what, files, where=""):
    query = f"SELECT {what} FROM file('{files}', JSONEachRow) {where} LIMIT 1 SETTINGS use_hive_partitioning = 1"
    return str(chdb.query(query, "TabSeparated")).strip()

lakes = {"09 and 10": lake("09", "10"), "10 and 11": lake("10", "11")}
for hours, files in lakes.items():
    print(f"hours {hours}: DuckDB {in_duckdb('typeof(hr)', files)}, ClickHouse {in_clickhouse('toTypeName(hr)', files)}")
for hours, files in lakes.items():
    where = "WHERE hr < 11"
    print(f"hours {hours}, hr < 11: DuckDB {in_duckdb('count(*)', files, where)}, ClickHouse {in_clickhouse('count()', files, where)}")
PYTHON
"$place/venv/bin/python" "$place/show.py" "$place" | tee "$place/seen"
sed -n 's/^#   \(hours [0-9].*: DuckDB .*\)/\1/p' "$0" | diff - "$place/seen"
