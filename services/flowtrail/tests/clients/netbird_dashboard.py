"""Does what NetBird's dashboard and its Go client do with event streaming, by the very bodies that they send.

    netbird_dashboard.py --url http://127.0.0.1:8080 --token ft_...

The bodies are those of netbirdio/dashboard at af7745a0 and of shared/management/client/rest in netbirdio/netbird at
ee253fed. What is sent arrives at a receiver of its own on 127.0.0.1, which Flowtrail must be allowed to reach
(FLOWTRAIL_EGRESS_ALLOW=127.0.0.0/8).
"""

import gzip
import json
import threading
import uuid
from base64 import b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from facts import Http, arguments, eventually, fact, holds, parsed, same

# What the dashboard proposes as a template of bodies.
PROPOSED = """{
  "id": "{{.ID}}",
  "timestamp": "{{.Timestamp.Format "2006-01-02T15:04:05.999Z07:00"}}",
  "message": "{{.Message}}",
  "initiator_id": "{{.InitiatorID}}",
  "target_id": "{{.TargetID}}",
  "meta": "{{.Meta}}"
}"""
# The dashboard's path; the Go client's has no `integrations`.
PATH = "/api/integrations/event-streaming"


def main():
    options = parsed(arguments(__doc__.splitlines()[0]))
    http = Http(options.url, options.token)
    for scheme, first, second in [
        ("Bearer", "t0p-s3cret-1", "t0p-s3cret-2"),
        ("Basic", basic("alice", "s3cret-1"), basic("alice", "s3cret-2")),
    ]:
        webhook(http, Receiver(), scheme, first, second)
    body_without_template(http, Receiver())
    setup_forms(http)
    go_client(http)
    print("all facts hold")


def basic(name, password):
    return b64encode(f"{name}:{password}".encode()).decode()


# --- the dialog of generic HTTP ---


def webhook(http, receiver, scheme, first, second):
    """Connect, edit, rotate the secret, switch off and on, delete."""
    made = made_of(http, webhook_body(receiver, f"{scheme} {first}", PROPOSED))
    number, headers = made["id"], json.loads(made["config"]["headers"])
    same(headers, {"Authorization": f"{scheme} ****", "X-Team": "****"}, f"{scheme}: shown as the dashboard looks for it")
    test = receiver.first()
    same(test["authorization"], f"{scheme} {first}", f"{scheme}: the test event has the credentials")
    same(test["body"]["message"], "integration test", f"{scheme}: the test event has NetBird's text")

    # It knows the kind of credentials by what stands before the mask, and sends the mask back.
    edited = webhook_body(receiver, f"{scheme} ****", PROPOSED, team="****")
    del edited["platform"]
    same(changed(http, number, edited)["config"], made["config"], f"{scheme}: an edit with the masks changes nothing")
    same(sent_by(http, receiver)["authorization"], f"{scheme} {first}", f"{scheme}: and the credentials stay")
    rotated = webhook_body(receiver, f"{scheme} {second}", PROPOSED, team="****")
    same(changed(http, number, rotated)["config"], made["config"], f"{scheme}: new credentials look the same")
    event = sent_by(http, receiver)
    same((event["authorization"], event["team"]), (f"{scheme} {second}", "red"), f"{scheme}: and are the ones sent")

    # The switch of the card sends back what it was shown.
    for enabled in (False, True):
        switched = changed(http, number, {"config": made["config"], "enabled": enabled})
        same((switched["enabled"], switched["config"]), (enabled, made["config"]), f"{scheme}: switched, {enabled}")
    same(sent_by(http, receiver)["authorization"], f"{scheme} {second}", f"{scheme}: it goes on with the new ones")
    gone(http, number)


def webhook_body(receiver, authorization, template, team="red"):
    headers = json.dumps({"X-Team": team, "Authorization": authorization}, separators=(",", ":"))
    config = {"url": f"{receiver.url}/hook", "headers": headers, "body_template": template}
    return {"platform": "generic_http", "enabled": True, "config": config}


def body_without_template(http, receiver):
    """Without a template the form has no such key, and without headers it has an empty object."""
    made = made_of(
        http,
        {"platform": "generic_http", "enabled": True, "config": {"url": f"{receiver.url}/hook", "headers": "{}"}},
    )
    body = sent_by(http, receiver, {"event_type": "group.add", "actor_id": "u1", "resource_id": "g1", "meta": {"name": "a"}})
    body = body["body"]
    holds(body.pop("ID") and body.pop("Timestamp").endswith("Z"), "the body has NetBird's ID and Timestamp")
    same(
        body,
        {"Message": "group created", "InitiatorID": "u1", "target_id": "g1", "meta": {"name": "a"}, "reference": ""},
        "and all else as NetBird sends it",
    )
    gone(http, made["id"])


# --- the forms of the other platforms ---


def setup_forms(http):
    """As the forms send them, but that those of Amazon have an endpoint, which leads here."""
    amazon = {"access_key": "AKIAEXAMPLE", "secret_key": "s3cret", "region": "eu-central-1"}
    for platform, config, address, path, secret in [
        ("datadog", {"api_key": "s3cret"}, "api_url", "/api/v2/logs", "api_key"),
        ("s3", {**amazon, "bucket_name": "logs"}, "endpoint", "", "secret_key"),
        ("firehose", {**amazon, "stream_name": "logs"}, "endpoint", "", "secret_key"),
    ]:
        receiver = Receiver()
        config = {**config, address: receiver.url + path}
        made = made_of(http, {"platform": platform, "config": config, "enabled": True})
        same(made["config"], {**config, secret: "****"}, f"{platform}: connected, and shown with its mask")
        holds(receiver.first(), f"{platform}: a test event came first")
        gone(http, made["id"])


# --- NetBird's Go client ---


def go_client(http):
    """It sends every field always: those that are not set as "" and null."""
    path = "/api/event-streaming"
    config = {"api_key": "s3cret", "site": "datadoghq.com"}
    _, made = answered(http.post(path, {"platform": "datadog", "config": config, "enabled": False}))
    number, shown = made["id"], {"api_key": "****", "site": "datadoghq.com"}
    for body, expected in [
        ({"platform": "", "config": {"api_key": "****", "site": "datadoghq.eu"}, "enabled": False}, "datadoghq.eu"),
        ({"platform": "", "config": None, "enabled": False}, "datadoghq.eu"),
        ({"platform": "s3", "config": {"site": "datadoghq.com"}, "enabled": False}, "datadoghq.com"),
        ({"platform": None, "config": {}, "enabled": False}, "datadoghq.com"),
    ]:
        _, put = answered(http.ask("PUT", f"{path}/{number}", body))
        found = (put["platform"], put["config"], put["enabled"])
        same(found, ("datadog", {**shown, "site": expected}, False), f"Go: PUT {json.dumps(body)}")
    gone(http, number)


# --- helpers ---


class Receiver:
    """Keeps what it is sent: headers and bodies.

    Each integration has one of its own, as a deleted one may still send what it had begun to.
    """

    def __init__(self):
        self.got = []
        kept = self.got

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if self.headers.get("Content-Encoding") == "gzip" and self.command == "POST":
                    body = gzip.decompress(body)
                body = json.loads(body) if self.command == "POST" else None
                kept.append({"authorization": self.headers["Authorization"], "team": self.headers["X-Team"], "body": body})
                answer = b'{"FailedPutCount":0,"RequestResponses":[{"RecordId":"1"}]}'
                self.send_response(200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            do_PUT = do_POST

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{server.server_address[1]}"

    def first(self):
        return self.got[0] if self.got else None


def sent_by(http, receiver, event=None):
    """What the receiver gets of an event that is published now."""
    id = f"form-{uuid.uuid4()}"
    status, answer = http.post("/api/events/audit", {"id": id, "event_type": "door.open", **(event or {})})
    same((status, answer["accepted"]), (202, 1), "an event is published")

    def arrived():
        return [got for got in receiver.got if id in json.dumps(got["body"])]

    found, _ = eventually(arrived, "it arrives at the receiver")
    return found[0]


def answered(answer):
    status, body = answer
    same(status, 200, f"answered: {json.dumps(body)[:300]}")
    holds("s3cret" not in json.dumps(body), "and no secret is in the answer")
    return answer


def made_of(http, body):
    _, made = answered(http.post(PATH, body))
    same((made["platform"], made["enabled"]), (body["platform"], True), f"{body['platform']}: connected")
    return made


def changed(http, number, body):
    _, put = answered(http.ask("PUT", f"{PATH}/{number}", body))
    return put


def gone(http, number):
    same(http.ask("DELETE", f"{PATH}/{number}", {}), (200, {}), "and deleted")


if __name__ == "__main__":
    main()
