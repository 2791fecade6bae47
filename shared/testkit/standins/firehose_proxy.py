"""A bad day of Amazon Data Firehose, in front of moto: keeps the limits that moto does not keep, and fails by chance.

firehose_proxy.py PORT MOTO JOURNAL SEED ACCESS_KEY SECRET_KEY

Requests reach moto as they came, so that it checks their signatures; of some, a part only, which is signed with the
given key. The journal has a line of JSON for each request:
    fault       what was done to it; "ok": nothing
    ids         the ids of its records, in order
    stored      the ids of those that moto stored
    told        the ids of those that the answer said to be stored; a request without an answer told nothing
    broken      the limit that it broke, or null
POST /mark?TEXT writes {"mark": TEXT} there, once every connection of the client before it is closed.
"""

import base64
import http.client
import json
import random
import sys
import threading
import time
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from bad_day import Handler, Server

PORT, MOTO, JOURNAL, SEED, ACCESS_KEY, SECRET_KEY = sys.argv[1:]
TARGET = "Firehose_20150804.PutRecordBatch"
# What happens to a request, and how often in a hundred.
FAULTS = {
    "ok": 62, "partial": 15, "all_failed": 2, "reset_before": 4, "reset_after": 5, "lost_500": 3, "500": 3, "503": 3,
    "throttled": 3,
}

chance = random.Random(int(SEED))
lock = threading.Lock()
clients = set()
journal = open(JOURNAL, "a", buffering=1)


def write(line):
    with lock:
        journal.write(json.dumps(line) + "\n")


def limits_broken(headers, body, put, records):
    if headers["X-Amz-Target"] != TARGET or headers["Content-Type"] != "application/x-amz-json-1.1":
        return "not a PutRecordBatch"
    if not put["DeliveryStreamName"] or not 1 <= len(records) <= 500:
        return f"{len(records)} records"
    if len(body) > 4 << 20:
        return f"{len(body)} bytes"
    for record in records:
        if len(record) > 1_024_000:
            return f"a record of {len(record)} bytes"
        if not record.endswith(b"\n"):
            return "a record that does not end its line"
    return None


def forward(path, headers, body):
    """What moto answers."""
    connection = http.client.HTTPConnection(urlsplit(MOTO).netloc, timeout=60)
    connection.request("POST", path, body=body, headers=headers)
    answer = connection.getresponse()
    status, text = answer.status, answer.read()
    connection.close()
    return status, text


def forward_part(stream, data):
    body = json.dumps({"DeliveryStreamName": stream, "Records": data}).encode()
    headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": TARGET}
    request = AWSRequest(method="POST", url=MOTO + "/", data=body, headers=headers)
    SigV4Auth(Credentials(ACCESS_KEY, SECRET_KEY), "firehose", "eu-central-1").add_auth(request)
    return forward("/", dict(request.prepare().headers), body)


def error(name):
    return json.dumps({"__type": name, "message": "Slow down."}).encode()


class Proxy(Handler):
    def do_POST(self):
        if self.path.startswith("/mark?"):
            self.close_connection = True
            while not self.is_alone():
                time.sleep(0.005)
            write({"mark": self.path.partition("?")[2]})
            return self.answer(200, b"{}")
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if len(body) < int(self.headers["Content-Length"]):
            # The process that sent it is dead.
            self.close_connection = True
            return None
        put = json.loads(body)
        records = [base64.b64decode(record["Data"]) for record in put["Records"]]
        ids = [json.loads(record)["id"] for record in records]
        line = {"fault": "refused", "ids": ids, "stored": [], "told": [], "broken": limits_broken(self.headers, body, put, records)}
        if line["broken"]:
            write(line)
            return self.answer(400, error("InvalidArgumentException"))
        with lock:
            [line["fault"]] = chance.choices(list(FAULTS), FAULTS.values())
            failing = {index for index in range(len(ids)) if chance.random() < 0.3}
            # What a receiver is made with is its only attempt.
            if any(id.startswith("flowtrail-test-") for id in ids):
                line["fault"] = "ok"
        return getattr(self, "fault_" + line["fault"])(line, body, put, failing)

    def is_alone(self):
        with lock:
            return clients == {self.client_address}

    def pass_on(self, line, body):
        status, text = forward(self.path, dict(self.headers), body)
        if status == 200:
            line["stored"] = line["ids"]
        return status, text

    def fault_ok(self, line, body, put, _):
        status, text = self.pass_on(line, body)
        if status == 200:
            line["told"] = line["ids"]
        # Before the answer, so that the journal is complete as soon as the client goes on.
        write(line)
        self.answer(status, text)

    def fault_partial(self, line, body, put, failing):
        if not failing or len(failing) == len(line["ids"]):
            line["fault"] = "ok"
            return self.fault_ok(line, body, put, failing)
        kept = [index for index in range(len(line["ids"])) if index not in failing]
        status, text = forward_part(put["DeliveryStreamName"], [put["Records"][index] for index in kept])
        if status != 200:
            write(line)
            return self.answer(status, text)
        line["stored"] = line["told"] = [line["ids"][index] for index in kept]
        stored = iter(json.loads(text)["RequestResponses"])
        write(line)
        self.answer_each([self.failed() if index in failing else next(stored) for index in range(len(line["ids"]))])

    def fault_all_failed(self, line, *_):
        write(line)
        self.answer_each([self.failed() for _ in line["ids"]])

    def fault_reset_before(self, line, *_):
        write(line)
        self.reset()

    def fault_reset_after(self, line, body, *_):
        self.pass_on(line, body)
        write(line)
        self.reset()

    def fault_lost_500(self, line, body, *_):
        self.pass_on(line, body)
        write(line)
        self.answer(500, error("InternalFailure"))

    def fault_500(self, line, *_):
        write(line)
        self.answer(500, b"<html>Internal Server Error</html>")

    def fault_503(self, line, *_):
        write(line)
        self.answer(503, error("ServiceUnavailableException"))

    def fault_throttled(self, line, *_):
        write(line)
        self.answer(400, error("ThrottlingException"))

    def failed(self):
        with lock:
            name = chance.choice(["ServiceUnavailableException", "InternalFailure"])
        return {"ErrorCode": name, "ErrorMessage": "Slow down."}

    def answer_each(self, answers):
        count = sum("ErrorCode" in answer for answer in answers)
        self.answer(200, json.dumps({"FailedPutCount": count, "Encrypted": False, "RequestResponses": answers}).encode())

    def answer(self, status, body):
        try:
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(body)))
            if self.close_connection:
                self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(body)
        except OSError:
            self.close_connection = True


class Counting(Server):
    """Knows who is connected."""

    def process_request(self, request, client_address):
        # Here and not in its thread, so that a mark is never earlier than a connection before it.
        with lock:
            clients.add(client_address)
        super().process_request(request, client_address)

    def process_request_thread(self, request, client_address):
        super().process_request_thread(request, client_address)
        with lock:
            clients.discard(client_address)


Counting(("127.0.0.1", int(PORT)), Proxy).serve_forever()
