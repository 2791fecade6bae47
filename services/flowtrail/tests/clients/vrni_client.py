"""Drives a running Flowtrail as a vRNI client does, generated from vRNI's description of its API.

    vrni_client.py --url http://127.0.0.1:8080 --token ft_... --password ...

Its operations are those of the description; each request and each answer is held against it. The token publishes the
events that the client then looks for; they have names of their own, so the account may hold other events already.
"""

import json
import pathlib
import time
import urllib.error
import urllib.request
import uuid

import jsonschema_rs
import yaml

from facts import Http, arguments, broken, eventually, fact, holds, parsed, same

DESCRIPTION = pathlib.Path(__file__).resolve().parents[4] / "schemas" / "dialects" / "vrni-openapi.yml"
USER = "admin@local"
FIVE_HOURS = 5 * 60 * 60
MOST_TOKENS = 100
EVENTS = 120


def main():
    parser = arguments(__doc__.splitlines()[0])
    parser.add_argument("--password", required=True, help=f"the password of {USER}")
    options = parsed(parser)
    client = Vrni(options.url)
    signs_in(client, options.password)
    asks_the_version(client)
    events = publish(Http(options.url, options.token))
    pages_through_every_filter(client, events)
    asks_for_everything(client)
    signs_ins_are_recorded(client)
    is_refused_as_described(client)
    signs_out(client)
    has_a_hundred_tokens(client, options.password)


# --- the client, made of the description ---


class Vrni:
    """One method call per operation id; answers outside the description end the program."""

    def __init__(self, url):
        self.description = yaml.safe_load(DESCRIPTION.read_text())
        self.base = url + self.description["servers"][0]["url"]
        self.token = None
        self.operations = {
            operation["operationId"]: (method.upper(), path, operation)
            for path, item in self.description["paths"].items()
            for method, operation in item.items()
        }

    def call(self, operation_id, body=None, raw=None):
        """The status and the body of the answer; `raw` is sent as it is."""
        method, path, operation = self.operations[operation_id]
        if body is not None:
            content = operation["requestBody"]["content"]["application/json"]
            self.check(content["schema"], body, f"the request of {operation_id}")
            raw = json.dumps(body).encode()
        status, answer = self.send(method, path, raw)
        described = operation["responses"].get(str(status))
        if described is None:
            broken(f"{operation_id} answers with a status of its description, not {status}: {answer}")
        if "$ref" in described:
            described = self.description["components"]["responses"][described["$ref"].rsplit("/", 1)[1]]
        content = described.get("content", {}).get("application/json")
        # vRNI documents no body for some errors; its clients read one of this form.
        schema = content["schema"] if content else {"$ref": "#/components/schemas/ApiError"}
        if answer is not None:
            self.check(schema, answer, f"the {status} of {operation_id}")
        elif content:
            broken(f"the {status} of {operation_id} has a body")
        return status, answer

    def send(self, method, path, data=None):
        request = urllib.request.Request(self.base + path, data=data, method=method)
        request.add_header("Content-Type", "application/json")
        if self.token:
            request.add_header("Authorization", f"NetworkInsight {self.token}")
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return response.status, self.read(response)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, self.read(error)

    @staticmethod
    def read(response):
        text = response.read()
        return json.loads(text) if text else None

    def check(self, schema, value, what):
        document = {**closed(schema), "components": closed(self.description["components"])}
        errors = [error.message for error in jsonschema_rs.Draft202012Validator(document).iter_errors(value)]
        if errors:
            broken(f"{what} is as described: {errors} in {json.dumps(value)[:1000]}")


def closed(schema):
    """The schema with nothing allowed but what it describes."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    copy = {name: closed(part) for name, part in schema.items()}
    if copy.get("type") == "object" and isinstance(copy.get("properties"), dict):
        copy["additionalProperties"] = False
    return copy


# --- what it does ---


def signs_in(client, password):
    status, _ = client.call("create", {"username": USER, "password": "not " + password})
    same(status, 401, "a wrong password is a 401")
    status, _ = client.call("create", {"username": "nobody@local", "password": password})
    same(status, 401, "a name that nobody has is a 401")
    status, _ = client.call("create", {"username": USER})
    same(status, 400, "a sign-in without a password is a 400")
    domain = {"domain_type": "LOCAL", "value": "local"}
    status, answer = client.call("create", {"username": USER, "password": password, "domain": domain})
    same(status, 200, "the right password is a 200")
    left = answer["expiry"] / 1000 - time.time()
    holds(FIVE_HOURS - 60 < left <= FIVE_HOURS + 1, f"the token lasts five hours: {left:.0f} s, expiry in milliseconds")
    status, _ = client.call("getVersion")
    same(status, 401, "without a token nothing is answered")
    client.token = answer["token"]


def asks_the_version(client):
    same(client.call("getVersion"), (200, {"api_version": "1.1.8"}), "the version is told right after the sign-in")


def publish(http):
    """Events whose every field has a few values, in the form of the results and newest first."""
    run = f"vrni-{uuid.uuid4().hex[:8]}"
    start = int(time.time()) - 10 * EVENTS
    published, expected = [], []
    for number in range(EVENTS):
        # Two in the same second, the second one in its last microsecond.
        second, micros = start + number // 2, 999_999 * (number % 2)
        row = {
            "ip_address": f"192.0.2.{number % 3}",
            "user_name": f"{run}-user{number % 4}@example.com",
            "entity_type": f"{run}-type{number % 5}",
            "entity_id": f"18230:3:{run}:{number}",
            "operation": ["CREATE", "UPDATE", f"{run}-odd"][number % 3],
            "response": ["SUCCESS", "FAILURE"][number % 2],
            "value": json.dumps({"number": number}, separators=(",", ":")),
            "timestamp": second,
        }
        event = {
            "id": f"{run}-{number}",
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second)) + f".{micros:06}Z",
            "event_type": f"entity.{row['operation'].lower()}",
            "status": row["response"].lower(),
            "actor_email": row["user_name"],
            "resource_type": row["entity_type"],
            "resource_id": row["entity_id"],
            "ip_address": row["ip_address"],
            "event_payload": {"number": number},
        }
        if "odd" in row["operation"]:
            event["operation"] = row["operation"]
        published.append(event)
        expected.append(row)
    status, answer = http.post("/api/events/audit", published)
    same((status, answer["accepted"]), (202, EVENTS), f"{EVENTS} events are published")
    expected.reverse()
    return expected


def pages_through_every_filter(client, events):
    some = events[EVENTS // 2]
    # What is not the run's own would find other events too.
    own = {"entity_type": some["entity_type"]}
    filters = [
        own,
        {"user_name": some["user_name"]},
        {"username": some["user_name"]},
        {"user_name": some["user_name"], "username": some["user_name"]},
        {"entity_id": some["entity_id"]},
        {"operation": next(event["operation"] for event in events if "odd" in event["operation"])},
        {**own, "operation": "UPDATE"},
        {**own, "ip_address": some["ip_address"]},
        {**own, "response": "FAILURE"},
        {**own, "response": "SUCCESS", "ip_address": some["ip_address"], "user_name": some["user_name"]},
        {**own, "time_range": {}},
        {**own, "time_range": {"start_time": some["timestamp"]}},
        {**own, "time_range": {"end_time": some["timestamp"]}},
        {"user_name": some["user_name"], "time_range": {"start_time": some["timestamp"], "end_time": some["timestamp"]}},
        {**own, "time_range": {"start_time": some["timestamp"], "end_time": some["timestamp"] - 1}},
        {"entity_type": some["entity_type"].upper()},
        {"user_name": some["user_name"][:-1]},
    ]
    for asked in filters:
        wanted = [event for event in events if fits(event, asked)]
        for size in [None, 0, 1000, 7]:
            sized = asked if size is None else {**asked, "size": size}
            found = all_pages(client, sized)
            same(found, wanted, f"{len(wanted)} events, newest first: {json.dumps(sized)}")


def fits(event, asked):
    span = asked.get("time_range", {})
    if not span.get("start_time", 0) <= event["timestamp"] <= span.get("end_time", 2**62):
        return False
    names = {"username": "user_name"}
    return all(event[names.get(name, name)] == value for name, value in asked.items() if name != "time_range")


def all_pages(client, asked):
    """The rows of all pages, each of which must say the same total, its window and where the next one starts."""
    rows, body, size = [], dict(asked), asked.get("size") or 50
    while True:
        status, page = client.call("getAuditLogs", body)
        if status != 200:
            broken(f"{json.dumps(body)} is answered: {status} {page}")
        rows += page["results"]
        total = page["total_count"]
        is_last = len(rows) >= total
        times = [row["timestamp"] for row in page["results"]]
        window = (page.get("start_time"), page.get("end_time"))
        if len(page["results"]) != min(size, total - len(rows) + len(page["results"])):
            broken(f"a page is full unless it is the last: {len(page['results'])} of {size}, {total} in all")
        if window != ((min(times), max(times)) if times else (None, None)):
            broken(f"start_time and end_time are those of the results: {window}, {times}")
        if ("cursor" in page) == is_last:
            broken(f"the last page, and no other, has no cursor: {len(rows)} of {total}")
        if is_last:
            return rows if len(rows) == total else broken(f"total_count {total} is exact, found {len(rows)}")
        body["cursor"] = page["cursor"]


def asks_for_everything(client):
    everything = but_reads(all_pages(client, {"size": 1000}))
    holds(len(everything) > EVENTS, f"{len(everything)} events in all")
    for body in [{}, {"size": 0}, {"time_range": {}}, {"size": 0, "time_range": {}}]:
        same(but_reads(all_pages(client, body)), everything, f"{json.dumps(body)} asks for all of them")
    for raw in [b"", None]:
        status, page = client.call("getAuditLogs", raw=raw)
        found = but_reads(page["results"])
        same((status, found), (200, everything[: len(found)]), "an empty body asks for the first page of them")
        same(len(page["results"]), 50, "which has the usual size")
        holds(page["total_count"] >= len(everything), "and is told how many there are")


def but_reads(rows):
    """What there is apart from the records of this client's own reading, of which every question makes one more."""
    return [row for row in rows if (row["entity_type"], row["operation"]) != ("log", "READ")]


def signs_ins_are_recorded(client):
    def logins():
        rows = all_pages(client, {"operation": "LOGIN", "user_name": USER, "entity_type": "user"})
        return rows if len(rows) >= 2 else None

    rows, _ = eventually(logins, "sign-ins are audit events")
    same([row["response"] for row in rows[:2]], ["SUCCESS", "FAILURE"], "a sign-in is recorded with its result")
    holds(all(row["ip_address"] == "127.0.0.1" for row in rows), "and with the address that it came from")


def is_refused_as_described(client):
    for body, field in [
        ({"cursor": "MTA="}, "cursor"),
        ({"size": 1001}, "size"),
        ({"size": -1}, "size"),
        ({"user_name": "a", "username": "b"}, "username"),
    ]:
        status, error = client.call("getAuditLogs", body)
        same((status, error["code"], error["details"][0]["target"]), (400, 400, [field]), f"400 names {field}")
    status, page = client.call("getAuditLogs", {"size": 1})
    status, error = client.call("getAuditLogs", {"cursor": page["cursor"], "operation": "UPDATE"})
    same((status, error["details"][0]["target"]), (400, ["cursor"]), "a cursor of another filter is refused")
    for raw in [b"[]", b"{", b"null", b'{"time_range":{"end_time":"x"}}', b'{"size":1e99}', b"[" * 100_000]:
        status, _ = client.call("getAuditLogs", raw=raw)
        same(status, 400, f"{raw[:40]} is a 400")
    for method, path, expected in [("GET", "/logs/audit", 405), ("GET", "/nothing", 404), ("POST", "/logs/audit", 413)]:
        status, error = client.send(method, path, b" " * (1 << 21) if expected == 413 else None)
        same((status, error["code"]), (expected, expected), f"{method} {path} is a {expected} in vRNI's form")


def signs_out(client):
    same(client.call("delete"), (204, None), "signing out is a 204")
    status, _ = client.call("getAuditLogs", {})
    same(status, 401, "the token has ended at once")
    status, _ = client.call("delete")
    same(status, 401, "signing out again is a 401")


def has_a_hundred_tokens(client, password):
    tokens = []
    for _ in range(MOST_TOKENS + 1):
        status, answer = client.call("create", {"username": USER, "password": password})
        if status != 200:
            broken(f"sign-in number {len(tokens)} is answered: {status} {answer}")
        tokens.append(answer["token"])
    answers = []
    for client.token in tokens:
        answers.append(client.call("getVersion")[0])
    same(answers, [401] + [200] * MOST_TOKENS, f"of {len(tokens)} sign-ins the first one's token has ended")
    for client.token in tokens[1:]:
        client.call("delete")
    fact("all sign out")


if __name__ == "__main__":
    main()
