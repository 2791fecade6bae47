#!/bin/sh
# instavm 0.26.1 (PyPI): making a client sends a request by itself, and unlike every other one it brings the key in the body,
# as "api_key", and in no header. A server that looks for X-API-Key or Authorization before it reads a body, as InstaVM's own
# description says it does, takes the first request of every client for one without a key. What it answers is not shown: of
# a 404 the SDK tells the status alone, whatever its "detail" says.
#
# Seen:
#   POST /v1/sessions/session  X-API-Key: none  api_key in the body: True
#   GET /v1/audit/events       X-API-Key: key-1 api_key in the body: False
#   of a 404 with its detail: SessionError, which holds the detail: False
#
# Installs it into a temporary folder and lets it talk to a server on loopback. Exits 0 while that is so, 1 when it has
# changed, 2 where the package cannot be had. Needs python3 with venv.
set -eu
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/pip" install -q --disable-pip-version-check instavm==0.26.1 || exit 2

cat > "$place/talk.py" <<'PYTHON'
import json, sys, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from instavm import InstaVM

seen, session_status = [], 200


class Server(BaseHTTPRequestHandler):
    def do_GET(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        place = f"{self.command} {self.path.partition('?')[0]}"
        seen.append(f"{place:26} X-API-Key: {self.headers['X-API-Key'] or 'none':5} api_key in the body: {b'api_key' in body}")
        is_session = self.path.startswith("/v1/sessions/session")
        answer = {"session_id": "s"} if is_session else {"items": [], "next_cursor": None}
        status = session_status if is_session else 200
        if status == 404:
            answer = {"detail": "use auto_start_session=False"}
        answer = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_POST = do_GET

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_address[1]}"
InstaVM(api_key="key-1", base_url=url).audit.events(limit=1)
session_status = 404
try:
    InstaVM(api_key="key-1", base_url=url)
    last = "no error"
except Exception as error:
    told = "auto_start_session" in str(error)
    last = f"of a 404 with its detail: {type(error).__name__}, which holds the detail: {told}"
found = [*seen[:2], last]
print("\n".join(found))
expected = [
    "POST /v1/sessions/session  X-API-Key: none  api_key in the body: True",
    "GET /v1/audit/events       X-API-Key: key-1 api_key in the body: False",
    "of a 404 with its detail: SessionError, which holds the detail: False",
]
sys.exit(found != expected)
PYTHON
"$place/venv/bin/python" "$place/talk.py"
