"""Starts a FastAPI application declared as InstaVM's audit API is, with the same events, and asks both the same.

    fastapi_twin.py --url http://127.0.0.1:8080 --token ft_... [--queries 500] [--seed 1]

Fails at the first request that the two answer differently: status, body to the byte, and the headers that say something.
Only cursors may differ, which are opaque. Events that come in while it runs are left out of the comparison.
"""

import json
import random
import socket
import threading
import uuid
from datetime import timedelta
from typing import Optional
from urllib.parse import quote, urljoin

import uvicorn
from fastapi import Depends, FastAPI, Header, HTTPException, Query
from fastapi.security import OAuth2PasswordBearer
from pydantic import BaseModel

from facts import Http, arguments, broken, eventually, fact, holds, parsed, stamp
from instavm_client import START, publish

TEXTS = ["event_group", "event_type", "status", "vm_id", "session_id"]
HEADERS = ["content-type", "content-length", "allow", "www-authenticate", "location"]
METHODS = ["POST", "HEAD", "OPTIONS", "DELETE", "PUT", "PATCH"]
# What numbers are written with, and what looks like it.
CHARACTERS = list("00112345789__++--.. eExXnN,'/") + ["\t", "\n", "\u00a0", "\u0661", "\uff11", "\u2003", "\x1c", "\x00"]
NUMBERS = [
    "", "0", "1", "200", "201", "-1", "1.0", "1.5", "1.", ".0", " 10 ", "+5", "1_0", "1__0", "010", "0x10", "1e1", "true",
    "null", "None", "inf", "nan", "-0", "--1", "+-1", "0-1", "0_-1", "000_", "0_.0", "1_000.0", "9" * 30, "9" * 4300,
    "9" * 4301, "9" * 5000, "-" + "9" * 4301, "0" * 5000 + "1", " " + "9" * 4301, "1." + "0" * 5000, "1_" * 2500 + "1",
]


class AuditEventResponse(BaseModel):
    id: str
    created_at: str
    user_id: Optional[int] = None
    actor_type: str
    actor_id: Optional[str] = None
    source: str
    event_group: str
    event_type: str
    status: str
    resource_type: Optional[str] = None
    resource_id: Optional[str] = None
    session_id: Optional[str] = None
    vm_id: Optional[str] = None
    task_id: Optional[int] = None
    request_id: Optional[str] = None
    correlation_id: Optional[str] = None
    http_method: Optional[str] = None
    path: Optional[str] = None
    http_status: Optional[int] = None
    latency_ms: Optional[float] = None
    ip_address: Optional[str] = None
    user_agent: Optional[str] = None
    node_ip: Optional[str] = None
    worker_id: Optional[str] = None
    event_payload: Optional[object] = None
    error_message: Optional[str] = None


class AuditEventListResponse(BaseModel):
    items: list[AuditEventResponse]
    next_cursor: Optional[str] = None


def twin(token, events, catalog):
    app = FastAPI()
    bearer = OAuth2PasswordBearer(tokenUrl="token", auto_error=False)

    def user(bearer: Optional[str] = Depends(bearer), x_api_key: Optional[str] = Header(None, alias="X-API-Key")):
        if token not in (bearer, x_api_key):
            raise HTTPException(401, "Not authenticated", {"WWW-Authenticate": "Bearer"})

    @app.get("/v1/audit/catalog", dependencies=[Depends(user)])
    def get_catalog():
        return {"catalog": catalog}

    @app.get("/v1/audit/events", dependencies=[Depends(user)])
    def list_audit_events(
        event_group: Optional[str] = None,
        event_type: Optional[str] = None,
        status: Optional[str] = None,
        user_id: Optional[int] = None,
        vm_id: Optional[str] = None,
        session_id: Optional[str] = None,
        cursor: Optional[str] = None,
        limit: int = Query(50, ge=1, le=200),
    ) -> AuditEventListResponse:
        if cursor:
            raise HTTPException(400, "Invalid cursor")
        wanted = {
            "event_group": event_group, "event_type": event_type, "status": status, "user_id": user_id, "vm_id": vm_id,
            "session_id": session_id,
        }
        found = [
            event for event in events
            if all(value is None or event[name] == value for name, value in wanted.items())
        ]
        more = "more" if len(found) > limit else None
        return AuditEventListResponse(items=found[:limit], next_cursor=more)

    @app.get("/v1/audit/events/{event_id}", dependencies=[Depends(user)])
    def get_audit_event(event_id: str) -> AuditEventResponse:
        for event in events:
            if event["id"] == event_id:
                return event
        raise HTTPException(404, "Audit event not found")

    return app


def main():
    parser = arguments(__doc__.splitlines()[0])
    parser.add_argument("--queries", type=int, default=500, help="how many malformed requests")
    parser.add_argument("--seed", type=int, default=1, help="the same seed, the same requests")
    options = parsed(parser)
    http = Http(options.url, options.token)
    chance = random.Random(options.seed)
    events, catalog = prepared(http)
    ours = address(options.url)
    theirs = serve(twin(options.token, events, catalog))
    known = {event["id"] for event in events}
    statuses = {}
    for number in range(options.queries):
        request = Request(chance, options.token, events)
        answers = [ask(place, request) for place in (ours, theirs)]
        compare(f"request {number} of seed {options.seed}: {request.method} {request.target[:300]}", *answers, known)
        status = answers[0][0]
        statuses[status] = statuses.get(status, 0) + 1
    fact(f"{options.queries} requests have the same answers: {json.dumps(statuses, sort_keys=True)}")
    holds(statuses.get(422, 0) >= options.queries / 4, "a good part of them is malformed")
    print("all facts hold")


def prepared(http):
    """Publishes events, and reads all that the account has."""
    run = "t" + uuid.uuid4().hex[:10]
    new = [
        {
            "id": f"{run}-{n}", "time": stamp(START + timedelta(milliseconds=n // 2)), "source": "api",
            "event_type": ("vm.created", "execution.completed", "vm.\u00fc\u0001\"")[n % 3], "user_id": (7, -1, None)[n % 3],
            "status": ("success", "error")[n % 2], "vm_id": f"vm_{n % 4}", "latency_ms": n * 1.5,
            "event_payload": {"n": n, "text": "\u2028\u007f\t/<"},
        }
        for n in range(300)
    ]
    publish(http, new)
    eventually(lambda: http.get(f"/v1/audit/events/{run}-299")[0] == 200, "the events are in the view")
    events, cursor = [], ""
    while cursor is not None:
        status, page = http.get(f"/v1/audit/events?limit=200&cursor={cursor}")
        holds(status == 200, f"{len(page['items'])} events are read")
        events += page["items"]
        cursor = page["next_cursor"]

    def with_reads():
        """What was read so far is an event too, and the last type that is new."""
        catalog = http.get("/v1/audit/catalog")[1]["catalog"]
        return catalog if "audit" in catalog else None

    catalog, _ = eventually(with_reads, "the catalog names reads")
    return events, catalog


class Request:
    """A random request: most of them wrong in some way."""

    def __init__(self, chance, token, events):
        self.chance = chance
        self.method = chance.choice(METHODS) if chance.random() < 0.1 else "GET"
        self.target = self.path(events)
        query = "&".join(self.pair() for _ in range(chance.choice([0, 1, 1, 1, 2, 2, 3, 5])))
        if query or chance.random() < 0.1:
            self.target += "?" + query
        self.headers = {"X-API-Key": token}
        if chance.random() < 0.1:
            self.headers = chance.choice([
                {}, {"X-API-Key": "wrong"}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {token}"},
                {"Authorization": f"bearer {token}"}, {"Authorization": token}, {"Authorization": "Bearer"},
                {"X-API-Key": "wrong", "Authorization": f"Bearer {token}"},
                {"X-API-Key": token, "Authorization": "Bearer wrong"},
            ])

    def path(self, events):
        chance = self.chance
        if chance.random() < 0.8:
            return "/v1/audit/events"
        known = quote(chance.choice(events)["id"], safe="")
        return chance.choice([
            "/v1/audit/events/", "/v1/audit/events//", "/v1/audit/catalog", "/v1/audit/catalog/", "/v1/audit", "/v1", "/v1/",
            f"/v1/audit/events/{known}", f"/v1/audit/events/{known}/", "/v1/audit/events/a%20b/", "/v1/audit/events/%ff",
            "/v1/audit/events/a/b", "/v1/audit/nope",
        ])

    def pair(self):
        chance = self.chance
        draw = chance.random()
        if draw < 0.6:
            name, value = chance.choice(["limit", "user_id"]), self.number()
        elif draw < 0.9:
            name, value = chance.choice(TEXTS), chance.choice(["", "vm", "execution", "vm.created", "success", "vm_1", "\x00"])
        elif draw < 0.95:
            name, value = "cursor", chance.choice(["", "!!", "more", "\u00e4"])
        else:
            name, value = chance.choice(["nope", "Limit", "limit[]", "", "LIMIT"]), "0"
        value = chance.choice([quote(value), quote(value, safe="+-_ ").replace(" ", "+"), quote(value, safe="")])
        return chance.choice([f"{name}={value}"] * 12 + [name, f"&{name}={value}", f"{name}={value}%ff", f"{name}={value};a",
                                                         f"{name}={value}=1", f"{name}={value}%zz", quote(name[:1]) + f"={value}"])

    def number(self):
        chance = self.chance
        if chance.random() < 0.4:
            return chance.choice(NUMBERS)
        if chance.random() < 0.2:
            return str(chance.randint(-300, 300))
        return "".join(chance.choice(CHARACTERS) for _ in range(chance.randint(1, 6)))


def serve(app):
    """Serves an application on a free port of its own, as long as this program runs."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
    threading.Thread(target=server.run, args=([listener],), daemon=True).start()
    eventually(lambda: server.started, "the FastAPI application starts", 30)
    return listener.getsockname()[:2]


def address(url):
    host, port = url.removeprefix("http://").split(":")
    return host, int(port)


def ask(place, request):
    """Status, headers and body of the answer to a request that is sent as it is, without a client's corrections."""
    lines = [f"{request.method} {request.target} HTTP/1.1", "Host: flowtrail.test", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in request.headers.items()]
    with socket.create_connection(place, timeout=30) as connection:
        connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        answer = b""
        while part := connection.recv(1 << 16):
            answer += part
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    headers = dict((name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines))
    # Where a redirect leads counts, not how it says so: ours is relative, so that it holds behind a proxy, too.
    if "location" in headers:
        headers["location"] = urljoin("http://h/", headers["location"]).partition("/v1/")[2]
    return int(status.split(" ")[1]), {name: headers.get(name) for name in HEADERS}, body


def compare(request, ours, theirs, known):
    if ours[0] == theirs[0] == 200 and b'"items":' in ours[2]:
        (our_items, our_more), (their_items, their_more) = listed(ours[2]), listed(theirs[2])
        kept = [item for item in our_items if item["id"] in known]
        complete = len(kept) == len(our_items)
        if kept == their_items[: len(kept)] and (not complete or (len(kept), our_more) == (len(their_items), their_more)):
            return
    elif ours == theirs:
        return
    broken(f"{request}\n  expected: {str(theirs)[:2000]}\n  found:    {str(ours)[:2000]}")


def listed(body):
    page = json.loads(body)
    return page["items"], page["next_cursor"] is not None


if __name__ == "__main__":
    main()
