"""The objects of a bucket, in a folder, as query engines read them: one line of JSON, by engine what it found.

FOLDER EXTENSION    `ndjson.gz` or `parquet`.
"""

import json
import pathlib
import sys

import chdb
import duckdb
import pyarrow.dataset as dataset
import pyarrow.json

FOLDER, EXTENSION = sys.argv[1:]
GLOB = f"{FOLDER}/**/*.{EXTENSION}"


def by_duckdb():
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    read = "read_parquet" if EXTENSION == "parquet" else "read_json"
    lake = f"{read}('{GLOB}', hive_partitioning = true, hive_types_autocast = false, union_by_name = true)"
    rows = lambda query: connection.execute(query.format(lake=lake)).fetchall()
    return {
        "counts": dict(rows("SELECT kind, count(*) FROM {lake} GROUP BY ALL")),
        "type": rows("SELECT DISTINCT typeof(timestamp) FROM {lake}")[0][0],
        "ids": [id for (id,) in rows("SELECT id FROM {lake} ORDER BY timestamp, id")],
        "misplaced": rows("SELECT count(*) FROM {lake} WHERE strftime(timestamp, '%Y-%m-%d %H') <> dt || ' ' || hr")[0][0],
        "partition": rows("SELECT count(*) FROM {lake} WHERE event_kind = 'audit' AND dt = '2024-01-31' AND hr = '23'")[0][0],
    }


def by_clickhouse():
    form = "Parquet" if EXTENSION == "parquet" else "JSONEachRow"
    lake = f"file('{GLOB}', {form})"
    # By itself it makes a tuple of each `event`, and those of two kinds are of two types.
    settings = " SETTINGS schema_inference_mode = 'union', session_timezone = 'UTC', use_hive_partitioning = 1, input_format_json_try_infer_named_tuples_from_objects = 0, enable_json_type = 1"

    def rows(query):
        found = chdb.query(query.format(lake=lake) + settings, "JSONCompactEachRow").bytes().decode()
        return [json.loads(line) for line in found.splitlines()]

    hour = "formatDateTime(timestamp, '%Y-%m-%d %H')"
    return {
        "counts": {kind: int(count) for kind, count in rows("SELECT kind, count(*) FROM {lake} GROUP BY kind")},
        "type": rows("SELECT DISTINCT toTypeName(timestamp) FROM {lake}")[0][0],
        "ids": [id for (id,) in rows("SELECT id FROM {lake} ORDER BY timestamp, id")],
        "misplaced": int(rows(f"SELECT count(*) FROM {{lake}} WHERE position(_path, concat('/dt=', substring({hour}, 1, 10), '/hr=', substring({hour}, 12, 2), '/')) = 0")[0][0]),
        "partition": int(rows("SELECT count(*) FROM {lake} WHERE _path LIKE '%/event_kind=audit/dt=2024-01-31/hr=23/%'")[0][0]),
    }


def by_arrow():
    files = sorted(map(str, pathlib.Path(FOLDER).glob(f"**/*.{EXTENSION}")))
    if EXTENSION == "parquet":
        tables = [dataset.dataset(file, format="parquet").to_table(columns=["timestamp", "id", "kind"]) for file in files]
    else:
        # By itself it takes no text with parts of a second for a time.
        times = pyarrow.json.ParseOptions(explicit_schema=pyarrow.schema([("timestamp", pyarrow.timestamp("us", "UTC"))]))
        tables = [pyarrow.json.read_json(file, parse_options=times).select(["timestamp", "id", "kind"]) for file in files]
    table = pyarrow.concat_tables(tables).sort_by([("timestamp", "ascending"), ("id", "ascending")])
    kinds = table["kind"].value_counts().to_pylist()
    hours = [(file, row.strftime("/dt=%Y-%m-%d/hr=%H/")) for file, part in zip(files, tables) for row in part["timestamp"].to_pylist()]
    return {
        "counts": {entry["values"]: entry["counts"] for entry in kinds},
        "type": str(table.schema.field("timestamp").type),
        "ids": table["id"].to_pylist(),
        "misplaced": sum(hour not in file for file, hour in hours),
        "partition": sum("/event_kind=audit/dt=2024-01-31/hr=23/" in file for file, _ in hours),
    }


print(json.dumps({"duckdb": by_duckdb(), "clickhouse": by_clickhouse(), "arrow": by_arrow()}))
