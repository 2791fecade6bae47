"""The file as rows, for the stores that keep a record as text next to the columns that queries filter by."""

import calendar
import functools

import orjson

from . import MASK


def blocks(path, size):
    """The lines of the file, so many at once."""
    block = []
    with open(path, "rb", buffering=1 << 20) as file:
        for line in file:
            block.append(line)
            if len(block) == size:
                yield block
                block = []
    if block:
        yield block


def rows(block):
    """Time, flow id, user, reporter, protocol, direction, connection type, event types, searched text, record."""
    for line in block:
        record = orjson.loads(line)
        source, destination, user = record["source"], record["destination"], record["user"]
        searched = (user["email"], source["name"], destination["name"], source["address"], destination["address"])
        mask = 0
        for event in record["events"]:
            mask |= MASK[event["type"]]
        yield (
            *(micros(record["events"][0]["timestamp"]), record["flow_id"], user["id"], record["reporter_id"]),
            *(record["protocol"], record["direction"], record["connection_type"], mask),
            *("\n".join(searched).lower(), line.rstrip().decode()),
        )


def micros(text):
    """`YYYY-MM-DDTHH:MM:SS.ffffffZ` in microseconds since 1970."""
    seconds = int(text[11:13]) * 3600 + int(text[14:16]) * 60 + int(text[17:19])
    return (day(text[:10]) + seconds) * 1_000_000 + int(text[20:26])


@functools.lru_cache
def day(text):
    return calendar.timegm((int(text[:4]), int(text[5:7]), int(text[8:10]), 0, 0, 0))
