"""The stores that are compared: each loads the same file and answers the same queries.

An answer is the exact total and a page of whole records, newest first, records of the same time by flow id. What
comes back of it is the total and the page's flow ids, so that the answers of all stores can be held together.
"""

import pathlib
import shutil
import subprocess

# A reading of the event types of a record as a number, for the stores that filter by one.
MASK = {"TYPE_START": 1, "TYPE_END": 2, "TYPE_DROP": 4}
NAMES = ("flowtrail", "clickhouse", "duckdb", "sqlite", "postgres")


def store(name):
    """The class of a store. Only its own requirements are imported."""
    match name:
        case "before":
            from .flowtrail import Before as found
        case "clickhouse":
            from .clickhouse import ClickHouse as found
        case "duckdb":
            from .duckdb import DuckDB as found
        case "flowtrail":
            from .flowtrail import Flowtrail as found
        case "postgres":
            from .postgres import Postgres as found
        case "sqlite":
            from .sqlite import SQLite as found
        case _:
            raise ValueError(f"{name} is none of {', '.join(NAMES)}")
    return found


class Store:
    """What all of them have."""

    name = ""

    def __init__(self, options):
        self.options = options
        self.directory = pathlib.Path(options["directory"]) / self.name

    def fresh(self):
        """Makes the store's directory, empty."""
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir(parents=True)

    def open(self):
        """Opens what was loaded before."""
        raise NotImplementedError

    def load(self, path):
        """Loads the file: how many rows, in how many seconds, into how many bytes on disk."""
        raise NotImplementedError

    def begin(self):
        """Is called before each turn, which is not measured yet."""

    def prepare(self, query):
        """Finds out beforehand what a query takes for granted."""

    def query(self, query):
        """The total, and the flow ids of the page; or what `questions` asks for."""
        raise NotImplementedError

    def memory(self):
        """The most memory that the store's process had, in bytes; none where it has processes of its own."""
        return None

    def close(self):
        """Ends whatever the store started."""


def size(path):
    """The bytes below a directory."""
    listed = subprocess.run(["du", "-sk", str(path)], capture_output=True, text=True, check=True)
    return int(listed.stdout.split()[0]) * 1024


def equal(query, keys=("user_id", "reporter_id", "protocol", "direction", "connection_type")):
    """The parameters of a query that a column must be equal to."""
    return [(key, query[key]) for key in keys if key in query]


def page(query):
    """The page of a query as limit and offset."""
    return query["page_size"], (query["page"] - 1) * query["page_size"]
