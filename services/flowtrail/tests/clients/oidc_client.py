"""Is an OpenID provider for a running Flowtrail: serves its keys over HTTP, and signs good and bad tokens with PyJWT.

    oidc_client.py --url http://127.0.0.1:8080 --token ft_... --port 9000

Flowtrail must trust the issuer ISSUER for the audience AUDIENCE, with the keys at http://127.0.0.1:<port>/jwks.json, and
have the accounts `main` and `other`. The token is one of `main` with all scopes.
"""

import base64
import hmac
import http.server
import json
import threading
import time

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from facts import Http, arguments, eventually, fact, holds, parsed, same

ISSUER = "https://id.example.com/"
AUDIENCE = "flowtrail"
LIST = "/api/events/audit?limit=1"


def main():
    parser = arguments(__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, required=True, help="where the keys are served")
    options = parsed(parser)
    keys = {
        "rsa": ("RS256", rsa.generate_private_key(65537, 2048)),
        "ec": ("ES256", ec.generate_private_key(ec.SECP256R1())),
        "ec384": ("ES384", ec.generate_private_key(ec.SECP384R1())),
        "ed": ("EdDSA", ed25519.Ed25519PrivateKey.generate()),
    }
    with Provider(options.port, keys) as provider:
        admin = Http(options.url, options.token)
        is_let_in(options.url, provider)
        may_do_what_it_says(options.url, provider, admin)
        is_refused(options.url, provider, admin)
        asks_for_keys_now_and_then(options.url, provider)
        changes_its_keys(options.url, provider)
    goes_on_without_the_provider(options.url, provider)
    print("all facts hold")


class Provider:
    """Its keys, by id; each public one is in the set that it serves."""

    def __init__(self, port, keys):
        self.keys, self.fetches = keys, 0
        provider = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                provider.fetches += 1
                body = json.dumps(provider.set()).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def set(self):
        makers = {"RS": RSAAlgorithm, "ES": ECAlgorithm, "Ed": OKPAlgorithm}
        shown = [
            {**makers[algorithm[:2]].to_jwk(key.public_key(), as_dict=True), "kid": kid, "use": "sig"}
            for kid, (algorithm, key) in self.keys.items()
        ]
        # What is not for signatures, or of another kind, does no harm.
        odd = [{"kty": "oct", "kid": "secret", "k": "c2VjcmV0"}, {"kty": "new", "kid": "new"}, 7]
        return {"keys": odd + [{**shown[0], "kid": "enc", "use": "enc"}] + shown}

    def token(self, kid="rsa", algorithm=None, key=None, headers=None, without=(), **claims):
        """A token that is good but for what is said."""
        usual, own = self.keys.get(kid, ("RS256", None))
        now = int(time.time())
        claims = {
            "iss": ISSUER, "aud": AUDIENCE, "sub": "alice", "email": "alice@example.com", "name": "Alice",
            "iat": now, "exp": now + 600, "flowtrail_account": "main", "scope": "openid audit:read", **claims,
        }
        claims = {name: value for name, value in claims.items() if name not in without}
        headers = {name: value for name, value in {"kid": kid, **(headers or {})}.items() if value is not None}
        # PyJWT checks some claims when it signs; a bad provider does not.
        return jwt.api_jws.encode(json.dumps(claims).encode(), key or own, algorithm or usual, headers)


def status(url, token, path=LIST):
    return Http(url, token).get(path)[0]


def is_let_in(url, provider):
    eventually(lambda: status(url, provider.token()) == 200, "a token of the provider lets in", 15)
    for kid in provider.keys:
        same(status(url, provider.token(kid)), 200, f"so does one that is signed with {provider.keys[kid][0]}")
    same(status(url, provider.token(algorithm="PS256")), 200, "and with PS256")
    same(status(url, provider.token(headers={"kid": None})), 200, "a token need not name its key")
    now = int(time.time())
    for what, claims in [
        ("an audience among others", {"aud": ["other", AUDIENCE]}),
        ("a clock that is 10 s behind", {"exp": now - 10}),
        ("a clock that is 10 s ahead", {"nbf": now + 10}),
        ("fractions of seconds", {"exp": now + 60.5}),
    ]:
        same(status(url, provider.token(**claims)), 200, f"{what} is fine")
    for path in ["/v1/audit/events?limit=1", "/v1/audit/catalog", "/api/ni/info/version"]:
        same(status(url, provider.token(), path), 200, f"{path} takes it too")


def may_do_what_it_says(url, provider, admin):
    reader = Http(url, provider.token())
    same(reader.get("/api/events/network-traffic")[0], 403, "a scope that it does not name is missing")
    same(Http(url, provider.token(scope="openid email")).get(LIST)[0], 403, "other scopes allow nothing")
    same(Http(url, provider.token(scope=["audit:read", "x"])).get(LIST)[0], 200, "scopes may be an array")
    writer = Http(url, provider.token(scope="admin"))
    body = {"platform": "datadog", "enabled": False, "config": {"api_key": "k", "site": "datadoghq.com"}}
    same(writer.post("/api/event-streaming", body)[0], 200, "with all scopes everything can be done")
    # A write waits for its own view; the audit log is another one.
    created = "/api/events/audit?activity_code=integration.create"
    events, _ = eventually(lambda: admin.get(created)[1], "the audit log tells of it")
    event = events[0]
    who = [event[f"initiator_{part}"] for part in ("id", "name", "email")]
    same(who, ["alice", "Alice", "alice@example.com"], "and it is known who did it")
    other = Http(url, provider.token(flowtrail_account="other"))
    found = other.get(created)
    same(found, (200, []), "another account is another account")
    code, answer = writer.ask("DELETE", "/api/ni/auth/token")
    same((code, answer["message"]), (403, "only the OpenID provider that issued this token can end it"), "Flowtrail cannot end it")


def is_refused(url, provider, admin):
    now, stranger = int(time.time()), rsa.generate_private_key(65537, 2048)
    public = provider.keys["rsa"][1].public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    head, body, _ = provider.token().split(".")
    own_key = RSAAlgorithm.to_jwk(stranger.public_key(), as_dict=True)
    bad = {
        "no signature": jwt.encode(jwt.decode(provider.token(), options={"verify_signature": False}), None, "none", {"kid": "rsa"}),
        "an empty signature": f"{head}.{body}.",
        "a changed signature": f"{head}.{body}.{'A' * 342}",
        "changed claims": provider.token().replace(f".{body}.", "." + encoded({"iss": ISSUER, "exp": now + 60}) + "."),
        "the public key as a secret": by_secret(provider, pem),
        "the modulus as a secret": by_secret(provider, public.public_numbers().n.to_bytes(256, "big")),
        "a secret of the set": by_secret(provider, b"secret", "secret"),
        "another's key": provider.token(key=stranger),
        "another's key that it brings along": provider.token(key=stranger, headers={"jwk": own_key, "kid": None}),
        "another kind of key": provider.token("ec", "RS256", provider.keys["rsa"][1]),
        "a key that is not for signatures": provider.token("enc", key=provider.keys["rsa"][1]),
        "an unknown key": provider.token("nobody", key=stranger),
        "a critical extension": provider.token(headers={"crit": ["x"], "x": 1}),
        "another issuer": provider.token(iss="https://id.example.com"),
        "several issuers": provider.token(iss=[ISSUER, "x"]),
        "no issuer": provider.token(without=["iss"]),
        "another audience": provider.token(aud="flow"),
        "no audience": provider.token(without=["aud"]),
        "no end": provider.token(without=["exp"]),
        "an end in words": provider.token(exp="never"),
        "a beginning in the future": provider.token(nbf=now + 60),
        "a beginning in words": provider.token(nbf="soon"),
        "nobody": provider.token(without=["sub"]),
        "no account": provider.token(without=["flowtrail_account"]),
        "an account that is not there": provider.token(flowtrail_account="nowhere"),
        "an account that cannot be": provider.token(flowtrail_account="a b"),
        "a number for an account": provider.token(flowtrail_account=7),
        "claims that are none": jwt.api_jws.encode(b"[1]", provider.keys["rsa"][1], "RS256", {"kid": "rsa"}),
        "a header that is none": "eyJ." + body + ".AAAA",
        "nothing in it": "ey..",
        "too much in it": provider.token(more="x" * 20_000),
    }
    for what, token in bad.items():
        found = Http(url, token).get(LIST)
        same(found, (401, {"message": "token invalid", "code": 401}), f"a token with {what} is a 401")
    expired = provider.token(exp=now - 60, sub="late")
    same(Http(url, expired).get(LIST), (401, {"message": "token expired", "code": 401}), "one that has expired says so")
    for path, answer in [("/v1/audit/events", {"detail": "Not authenticated"}), ("/api/ni/info/version", None)]:
        code, found = Http(url, bad["another audience"]).get(path)
        same(code, 401, f"{path} refuses in its own shape")
        holds(answer in (None, found), f"which is {found}")
    for header in [{"Authorization": f"Token {provider.token()}"}, {"X-API-Key": provider.token()}]:
        elsewhere = Http(url, None)
        elsewhere.headers = header
        same(elsewhere.get(LIST)[0], 401, f"it comes as a bearer, not as {next(iter(header))}: {next(iter(header.values()))[:5]}")

    def denied():
        events = admin.get("/v1/audit/events?event_type=access.denied&limit=200")[1]["items"]
        return [event["event_payload"]["reason"] for event in events if event["actor_id"] == "late"]

    eventually(lambda: denied() == ["expired token"], "that someone came with an expired token is recorded")


def encoded(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def by_secret(provider, secret, kid="rsa"):
    """HS256 by hand: PyJWT refuses to take a public key for a secret."""
    message = encoded({"alg": "HS256", "typ": "JWT", "kid": kid}) + "." + provider.token().split(".")[1]
    signature = hmac.digest(secret, message.encode(), "sha256")
    return message + "." + base64.urlsafe_b64encode(signature).rstrip(b"=").decode()


def asks_for_keys_now_and_then(url, provider):
    before, stranger = provider.fetches, ec.generate_private_key(ec.SECP256R1())
    for number in range(300):
        if status(url, provider.token(f"made-up-{number}", "ES256", stranger)) != 401:
            holds(False, "a made-up key opens nothing")
    holds(provider.fetches - before <= 3, f"300 made-up keys lead to {provider.fetches - before} requests for keys")


def changes_its_keys(url, provider):
    old = provider.token()
    provider.keys = {"rsa2": ("RS256", rsa.generate_private_key(65537, 3072))}
    _, took = eventually(lambda: status(url, provider.token("rsa2")) == 200, "a new key is found", 20, 0.2)
    fact(f"after {took:.1f} s")
    same(status(url, old), 401, "and the old one opens nothing any more")


def goes_on_without_the_provider(url, provider):
    same(status(url, provider.token("rsa2")), 200, "without the provider the known keys go on")
    same(status(url, provider.token("rsa3", "RS256", provider.keys["rsa2"][1])), 401, "and others are a 401")


if __name__ == "__main__":
    main()
