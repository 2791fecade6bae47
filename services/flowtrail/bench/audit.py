"""Audit events, and the questions A1-A12 and counts of them.

The same N events for the same N: 5,000 actors, 40 types of which the first are the most frequent, 20,000 targets, as
many addresses as events, 3 % failures, 2.5 s apart, and a nested payload in each.
"""

import json
import random
import time

import questions

FAMILY = "audit"
T0 = 1_746_057_600  # 2025-05-01T00:00:00Z
GROUPS = ("route", "peer", "policy", "user", "group", "dns", "token", "vm", "disk", "invoice")
TYPES = [f"{group}.{verb}" for group in GROUPS for verb in ("create", "update", "delete", "read")]
_SEED = 7
_ACTORS, _TARGETS, _OBJECTS = 5000, 20_000, 977
_MICROS = 1_000_000
_HOUR, _DAY = 3600 * _MICROS, 86_400 * _MICROS
# All of them, and none of those that a program records of itself when it starts.
ALL = questions.Period(T0 * _MICROS, T0 * _MICROS + 400 * _DAY)


def records(n):
    """Yields n NDJSON lines (str, newline included)."""
    chance = random.Random(_SEED)
    actors = [(f"u{i:05d}", f"User {i}", f"user{i}@corp.example") for i in range(_ACTORS)]
    for i in range(n):
        actor, name, mail = chance.choice(actors)
        kind = TYPES[min(int(chance.expovariate(0.2)), len(TYPES) - 1)]
        group = kind.split(".")[0]
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(T0 + i * 5 // 2))
        event = {
            "id": f"a{i:08d}", "time": f"{at}.{'500000' if i % 2 else '000000'}Z", "event_type": kind,
            "actor_id": actor, "actor_name": name, "actor_email": mail,
            "resource_type": group, "resource_id": f"r{chance.randrange(_TARGETS)}",
            "status": "success" if chance.random() < 0.97 else "failure",
            "ip_address": f"10.{chance.randrange(256)}.{chance.randrange(256)}.{chance.randrange(256)}",
            "user_agent": "Mozilla/5.0 (X11; Linux x86_64)", "http_method": "POST", "path": f"/api/{group}s/{i % 1000}",
            "http_status": 200, "latency_ms": round(chance.random() * 200, 3), "request_id": f"req-{i:09x}",
            "meta": {"name": f"object {i % _OBJECTS}", "network_range": "10.64.0.0/24"},
        }
        yield json.dumps(event, separators=(",", ":")) + "\n"


def queries():
    """name -> list of questions."""

    def ask(conditions=(), period=ALL, page=1):
        return questions.List(list(conditions), period, page)

    update = questions.equal("event_type", "policy.update")
    failures = [questions.equal("event_group", "policy"), questions.equal("status", "failure")]

    def between(hour, hours):
        return questions.Period(T0 * _MICROS + hour * _HOUR, T0 * _MICROS + (hour + hours) * _HOUR)

    fields = ("event_type", "event_group", "status", "actor_id", "resource_type", "resource_id")
    ten_days = questions.Period(T0 * _MICROS, T0 * _MICROS + 10 * _DAY)
    return {
        "A1 newest50": [ask()],
        "A2 type": [ask([update])],
        "A3 failures of a group": [ask(failures)],
        "A4 actor": [ask([questions.equal("actor_id", f"u{n:05d}")]) for n in (42, 4711, 999)],
        "A5 target": [ask([questions.equal("resource_id", f"r{n}")]) for n in (777, 1, 15_000)],
        "A6 search rare": [ask([questions.found("user4711")])],
        "A7 search common": [ask([questions.found("object 42")])],
        "A8 1h type": [ask([update], between(hour, 1)) for hour in (5, 50, 100)],
        "A9 page1000 type": [ask([questions.equal("event_type", TYPES[0])], page=1000)],
        "A10 id": [ask([questions.equal("id", f"a{n:08d}")]) for n in (123, 77_777, 99_998)],
        "A11 address": [ask([questions.equal("ip_address", address)]) for address in ("10.1.2.3", "10.200.7.9")],
        "A12 nested 1d": [ask([questions.equal("meta.name", "object 42")], between(24, 24))],
        "F1 facets of 6": [questions.Facets(fields, [], ALL)],
        "F2 facets, 3 filters": [questions.Facets(fields, [update, questions.equal("status", "success")], ten_days)],
        "H1 histogram 120x5": [questions.Histogram("event_group", ten_days)],
        "H2 histogram, 3 filters": [questions.Histogram("resource_type", ten_days, failures)],
    }
