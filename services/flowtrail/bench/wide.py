"""Flow records as a gateway on the open internet sees them: as many different client addresses as records.

The same N records for the same N. Eight reporters, one record a second, one destination, TCP, INGRESS. What `workload`
asks by user is asked by reporter here, for these records have no users.
"""

import random
import time

FAMILY = "traffic"
SEED = 3
T0 = 1_746_057_600  # 2025-05-01T00:00:00Z
REPORTERS = 8
_MICROS = 1_000_000


def records(n):
    """Yields n NDJSON lines (str, newline included)."""
    chance = random.Random(SEED)
    for i in range(n):
        port = chance.randrange(1024, 65535)
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(T0 + i))
        yield (
            f'{{"flow_id":"w{i:09d}","reporter_id":"gw-{i % REPORTERS}","source":{{"id":"","type":"UNKNOWN","name":"",'
            f'"address":"{_address(chance)}:{port}"}},"destination":{{"id":"web","type":"PEER","name":"web-1",'
            f'"address":"10.0.0.10:443"}},"protocol":6,"direction":"INGRESS","rx_bytes":{chance.randrange(100, 100000)},'
            f'"rx_packets":5,"tx_bytes":900,"tx_packets":4,"events":[{{"type":"TYPE_START","timestamp":"{at}"}}]}}\n'
        )


def _address(chance):
    return f"{chance.randrange(1, 224)}.{chance.randrange(256)}.{chance.randrange(256)}.{chance.randrange(1, 255)}"


def queries():
    """name -> list of parameter variants.  Keys are the API's query parameters; times are epoch micros."""
    page = {"page": 1, "page_size": 50}
    day = 86_400

    def between(start, seconds):
        return {"start": (T0 + start) * _MICROS, "end": (T0 + start + seconds) * _MICROS}

    chance = random.Random(SEED + 1)
    return {
        "Q1 newest50": [dict(page)],
        "Q2 destination": [dict(page, destination_id="web")],
        "Q3 reporter+1d": [dict(page, reporter_id=f"gw-{n}", **between(n * day, day)) for n in range(6)],
        "Q4 tcp ingress 7d": [dict(page, protocol=6, direction="INGRESS", **between(n * day, 7 * day)) for n in (0, 3)],
        "Q5 search web": [dict(page, search="web-1")],
        "Q6 search rare": [dict(page, search=_address(chance)) for _ in range(4)],
        "Q7 page1000 tcp": [dict(page, page=1000, protocol=6)],
        "Q8 1h start": [dict(page, type="TYPE_START", **between(n * day + 3600, 3600)) for n in (2, 5, 8, 11)],
    }
